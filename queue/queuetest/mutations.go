package queuetest

import (
	"context"
	"slices"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Mutants returns at least one for each promise.
func Mutants() []Mutant {
	return slices.Concat(storeMutants(), settleMutants(), claimMutants(), controlMutants(), queueMutants())
}

// onEnqueue spoils each message on its way into the store.
func onEnqueue(promise, fault string, spoil func(*queue.Envelope)) Mutant {
	return Mutant{Promise: promise, Fault: fault, store: func(f *faults) {
		f.onEnqueue = func(e *queue.Envelope) bool { spoil(e); return true }
	}}
}

func storeMutants() []Mutant {
	n := 0
	return []Mutant{
		onEnqueue("Delivers", "headers are lost", func(e *queue.Envelope) { e.Header = nil }),
		{Promise: "Batch", Fault: "one message of a batch is lost", store: func(f *faults) {
			f.onEnqueue = func(*queue.Envelope) bool { n++; return n%1000 != 7 }
		}},
		onEnqueue("Delays", "delays are halved", func(e *queue.Envelope) { e.Delay /= 2 }),
		onEnqueue("Delays", "At is ignored", func(e *queue.Envelope) { e.At = time.Time{} }),
		onEnqueue("Expires", "messages never expire", func(e *queue.Envelope) { e.TTL, e.Deadline = 0, time.Time{} }),
		onEnqueue("Priority", "all priorities are one", func(e *queue.Envelope) { e.Priority = 0 }),
		onEnqueue("KeyOrder", "keys are ignored", func(e *queue.Envelope) { e.Key = "" }),
		onEnqueue("Deduplicates", "a given ID is replaced", func(e *queue.Envelope) { e.ID, e.Given = queue.NewID(), false }),
		onEnqueue("UniqueUntilDone", "unique keys are ignored", func(e *queue.Envelope) { e.Unique = queue.Unique{} }),
		onEnqueue("UniqueUntilDone", "the key is free at the start", func(e *queue.Envelope) { e.Unique.Until = queue.UntilStart }),
		{Promise: "UniqueConflict", Fault: "a refused message keeps the key", store: func(f *faults) {
			f.onEnqueue = func(e *queue.Envelope) bool {
				thief := queue.Envelope{Message: queue.Message{ID: queue.NewID(), Unique: e.Unique, MaxAttempts: 1}}
				if e.Given && e.Unique.Key != "" {
					_, _ = f.Store.Enqueue(context.Background(), []queue.Envelope{thief})
				}
				return true
			}
		}},
		onEnqueue("UniqueUntilStart", "the key is kept to the end", func(e *queue.Envelope) { e.Unique.Until = queue.UntilDone }),
		onEnqueue("UniqueTTL", "the key is never free by time", func(e *queue.Envelope) { e.Unique.TTL = time.Hour }),
		onEnqueue("UniqueRedrive", "unique keys are ignored", func(e *queue.Envelope) { e.Unique = queue.Unique{} }),
		onEnqueue("Records", "nothing is retained", func(e *queue.Envelope) { e.Retain = 0 }),
		{Promise: "Schedules", Fault: "every scheduler fires", store: func(f *faults) { f.anyTick = true }},
		{Promise: "WakesUp", Fault: "the signal is lost", store: func(f *faults) { f.noWait = true }},
	}
}

// instead settles in another way.
func instead(promise string, of, by queue.Verb) Mutant {
	return Mutant{
		Promise: promise, Fault: of.String() + " is taken for " + by.String(),
		store: func(f *faults) {
			f.onSettle = func(s *queue.Settlement) {
				if s.Verb == of {
					s.Verb, s.Delay = by, max(s.Delay, 10*time.Millisecond) // time must pass in a bubble
				}
			}
		},
	}
}

func settleMutants() []Mutant {
	return []Mutant{
		{Promise: "Retries", Fault: "the backoff is ignored", store: func(f *faults) {
			f.onSettle = func(s *queue.Settlement) { s.Delay = 0 }
		}},
		instead("Retries", queue.VerbRetry, queue.VerbSnooze),
		{Promise: "RetriesIn", Fault: "the pause is cut short", store: func(f *faults) {
			f.onSettle = func(s *queue.Settlement) { s.Delay /= 2 }
		}},
		instead("Panics", queue.VerbRetry, queue.VerbDiscard),
		instead("Dies", queue.VerbDead, queue.VerbRetry),
		instead("Dies", queue.VerbRetry, queue.VerbSnooze),
		instead("Dead", queue.VerbDead, queue.VerbRetry),
		instead("Discards", queue.VerbDiscard, queue.VerbRetry),
		instead("Snoozes", queue.VerbSnooze, queue.VerbRetry),
		instead("BatchHandler", queue.VerbRetry, queue.VerbDiscard),
		instead("KeyOpens", queue.VerbDead, queue.VerbRelease),
		instead("GivesBack", queue.VerbRelease, queue.VerbRetry),
		instead("RateReturned", queue.VerbRelease, queue.VerbSnooze),
		instead("StuckAtClose", queue.VerbRelease, queue.VerbRetry),
		instead("Interrupts", queue.VerbRelease, queue.VerbRetry),
		instead("Stuck", queue.VerbRetry, queue.VerbDiscard),
		instead("Accounts", queue.VerbDiscard, queue.VerbDone),
	}
}

func claimMutants() []Mutant {
	claim := func(promise, fault string, spoil func(*queue.ClaimRequest)) Mutant {
		return Mutant{Promise: promise, Fault: fault, store: func(f *faults) { f.onClaim = spoil }}
	}
	byID := func(promise string) Mutant {
		return Mutant{Promise: promise, Fault: "a lease is known by its message", store: func(f *faults) { f.byID = true }}
	}
	noExtend := func(promise string) Mutant {
		return Mutant{Promise: promise, Fault: "leases are not renewed", store: func(f *faults) { f.noExtend = true }}
	}
	return []Mutant{
		{Promise: "Order", Fault: "the newest comes first", store: func(f *faults) {
			f.onClaimed = func(c *queue.Claim) { slices.Reverse(c.Messages) }
			f.onClaim = func(r *queue.ClaimRequest) { r.Max *= 2 }
		}},
		{Promise: "Shares", Fault: "a message is given twice", store: func(f *faults) {
			f.onClaimed = func(c *queue.Claim) {
				if len(f.again) > 0 {
					c.Messages, f.again = append(c.Messages, f.again[0]), nil
				} else if len(c.Messages) > 0 {
					f.again = c.Messages[:1:1]
				}
			}
		}},
		{Promise: "Isolates", Fault: "losses of a lone message are not counted", store: func(f *faults) {
			f.onClaimed = func(c *queue.Claim) {
				for i := range c.Messages {
					c.Messages[i].Attempt = 1
				}
			}
		}},
		claim("Lapses", "leases are a hundred times longer", func(r *queue.ClaimRequest) { r.Lease *= 100 }),
		claim("ClusterRate", "the rate is ignored", func(r *queue.ClaimRequest) { r.Rate = queue.Rate{} }),
		claim("MaxInFlight", "the limit is ignored", func(r *queue.ClaimRequest) { r.MaxInFlight = 0 }),
		byID("StaleLapsed"), byID("StaleReleased"), byID("StaleReused"),
		noExtend("Heartbeat"), noExtend("HoldsBuffered"), noExtend("Extends"),
	}
}

func controlMutants() []Mutant {
	looks := 0
	return []Mutant{
		{Promise: "CountsDead", Fault: "what is ready is not counted", store: func(f *faults) {
			f.onStats = func(s *queue.Stats) { s.Ready = [4]int{} }
		}},
		{Promise: "LooksAtDead", Fault: "a message is lost when it was looked at 21 times", store: func(f *faults) {
			f.onListed = func(p *queue.Page) {
				if looks++; looks == 21 {
					_ = f.Store.Cancel(context.Background(), p.Messages[0].ID)
				}
			}
		}},
		{Promise: "LooksAtDead", Fault: "every page is the first", store: func(f *faults) {
			f.onList = func(r *queue.ListRequest) { r.Offset = 0 }
		}},
		{Promise: "RemovesDead", Fault: "nothing is cancelled", store: func(f *faults) { f.noCancel = true }},
		{Promise: "RemovesDead", Fault: "nothing is purged", store: func(f *faults) { f.noPurge = true }},
		{Promise: "PurgesReady", Fault: "nothing is purged", store: func(f *faults) { f.noPurge = true }},
		{Promise: "Cancels", Fault: "nothing is cancelled", store: func(f *faults) { f.noCancel = true }},
		{Promise: "CancelsRunning", Fault: "nothing is cancelled", store: func(f *faults) { f.noCancel = true }},
		{Promise: "Pauses", Fault: "nothing is paused", store: func(f *faults) { f.noPause = true }},
		{Promise: "Purges", Fault: "nothing is purged", store: func(f *faults) { f.noPurge = true }},
		{Promise: "Records", Fault: "progress is lost", store: func(f *faults) { f.noRecord = true }},
		{Promise: "Consumers", Fault: "nobody is listed", store: func(f *faults) { f.noList = true }},
		{Promise: "Accounts", Fault: "the dead are forgotten", store: func(f *faults) {
			f.onStats = func(s *queue.Stats) { s.Dead = 0 }
		}},
		{Promise: "Counts", Fault: "nothing grows old", store: func(f *faults) {
			f.onStats = func(s *queue.Stats) { s.OldestReady = 0 }
		}},
		{Promise: "Lists", Fault: "pages are short", store: func(f *faults) {
			f.onList = func(r *queue.ListRequest) { r.Limit-- }
		}},
		{Promise: "Redrives", Fault: "the filter is ignored", queue: func(f *queueFaults) { f.anyFilter = true }},
		{Promise: "RedrivesSlowly", Fault: "the rate is ignored", queue: func(f *queueFaults) { f.anyFilter = true }},
	}
}

func queueMutants() []Mutant {
	consume := func(promise, fault string, spoil func(*context.Context, *queue.Handler, *queue.ConsumeOptions)) Mutant {
		return Mutant{Promise: promise, Fault: fault, queue: func(f *queueFaults) { f.onConsume = spoil }}
	}
	silent := func(promise string) Mutant {
		return consume(promise, "nothing is reported", func(_ *context.Context, _ *queue.Handler, o *queue.ConsumeOptions) {
			o.OnError = func(error) {}
		})
	}
	return []Mutant{
		silent("Kinds"), silent("Panics"), silent("Stuck"), silent("StuckAtClose"),
		{Promise: "Refuses", Fault: "refusals are not told", queue: func(f *queueFaults) { f.allStored = true }},
		{Promise: "EndedContext", Fault: "the ctx is ignored", queue: func(f *queueFaults) { f.anyCtx = true }},
		{Promise: "Closed", Fault: "Close does nothing", queue: func(f *queueFaults) { f.noClose = true }},
		{Promise: "TimesOut", Fault: "the timeout is ignored", queue: func(f *queueFaults) {
			f.onMessage = func(m *queue.Message) { m.Timeout = 0 }
		}},
		consume("Middleware", "the first is the innermost", func(_ *context.Context, _ *queue.Handler, o *queue.ConsumeOptions) {
			slices.Reverse(o.Middleware)
		}),
		consume("Exits", "the worker is lost", func(_ *context.Context, h *queue.Handler, _ *queue.ConsumeOptions) {
			inner := *h
			*h = func(ctx context.Context, d *queue.Delivery) error {
				returned := false
				defer func() {
					if !returned {
						<-ctx.Done()
					}
				}()
				err := inner(ctx, d)
				returned = true
				return err
			}
		}),
		consume("Graceful", "handlers get no grace", func(_ *context.Context, _ *queue.Handler, o *queue.ConsumeOptions) {
			o.ShutdownGrace = -1
		}),
		consume("Interrupts", "the cause is hidden", func(_ *context.Context, h *queue.Handler, _ *queue.ConsumeOptions) {
			inner := *h
			*h = func(ctx context.Context, d *queue.Delivery) error {
				hidden, cancel := context.WithCancel(context.WithoutCancel(ctx))
				defer cancel()
				defer context.AfterFunc(ctx, cancel)()
				return inner(hidden, d)
			}
		}),
		consume("ConsumeContext", "the ctx is ignored", func(ctx *context.Context, _ *queue.Handler, _ *queue.ConsumeOptions) {
			*ctx = context.WithoutCancel(*ctx) //nolint:fatcontext // it is the fault
		}),
		consume("Concurrency", "twice as many run", func(_ *context.Context, _ *queue.Handler, o *queue.ConsumeOptions) {
			o.Concurrency *= 2
		}),
		consume("Gate", "the gate is ignored", func(_ *context.Context, _ *queue.Handler, o *queue.ConsumeOptions) {
			o.Accepting = nil
		}),
		consume("RateLimit", "the rate is ignored", func(_ *context.Context, _ *queue.Handler, o *queue.ConsumeOptions) {
			o.RateLimit = queue.Rate{}
		}),
	}
}
