package queue

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Timing of the fetch loop.
const (
	idleWait    = time.Second            // longest wait for a message without asking again
	pollWait    = 100 * time.Millisecond // the same for a backend that is no Waiter
	ackWait     = 5 * time.Millisecond   // how long a finished message waits for a claim to ride on
	gateWait    = 50 * time.Millisecond  // how often Accepting is asked while messages are held
	bufferedFor = 20 * time.Millisecond  // how much work is held beyond what runs
	staleAfter  = 500 * time.Millisecond // held work that no worker takes goes back
)

// worthwhile is how much room is enough for a claim, however much is held: the store
// is then at work while the workers are.
const worthwhile = 250

// fetcher is the state of the fetch loop.
type fetcher struct {
	*Consumer
	empty    bool      // the last claim found too little: wait before the next
	nextAt   time.Time // when a claim may succeed without a signal; zero = unknown
	retryAt  time.Time // no request before this
	failures int
	waiting  bool // a Wait is under way
	waited   chan error
	cramped  bool // nothing came, perhaps only because no worker was free
	force    bool // call even if there is nothing to ask, to pass a signal on
	alone    bool // claim nothing until nothing is held
	ackFrom  time.Time
}

// plan is what the loop does next: call, or sleep until a time.
type plan struct {
	call  bool
	room  int
	slots int
	held  int
	until time.Time
}

// fetch claims messages and acknowledges finished ones, in one request.
func (c *Consumer) fetch() {
	defer close(c.drained)
	f := &fetcher{Consumer: c, waited: make(chan error, 1)}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		open := c.opts.Accepting == nil || c.opts.Accepting()
		if !open {
			c.giveBack(c.takeBuffer())
		}
		p, stop := f.plan(open)
		if stop {
			break
		}
		if p.call {
			f.claim(p)
			continue
		}
		if f.empty && p.room > 0 && !f.waiting && !f.cramped {
			f.startWait()
		}
		timer.Reset(time.Until(p.until))
		select {
		case <-c.poke:
		case <-timer.C:
		case err := <-f.waited:
			f.waitDone(err)
		}
	}
	if f.waiting && <-f.waited == nil {
		f.force = true
	}
	if f.force && f.failures == 0 {
		f.passOn()
	}
}

// passOn gives back a signal that this Consumer will not use any more. Others
// would find the messages without it, only later.
func (f *fetcher) passOn() {
	ctx, cancel := context.WithTimeout(f.ctx, min(f.q.opts.OpTimeout, maxReserve))
	defer cancel()
	_, _ = f.q.backend.Claim(ctx, ClaimRequest{ // it leases nothing
		Consumer: f.opts.Name, Lease: f.opts.Lease, MaxInFlight: f.opts.MaxInFlight, Rate: f.opts.ClusterRate,
	})
}

// plan decides under the lock what to do now.
func (f *fetcher) plan(open bool) (plan, bool) {
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopping {
		return plan{}, true
	}
	p := plan{held: len(f.buffer) + f.active, until: now.Add(time.Hour)}
	p.slots = max(f.opts.Concurrency-p.held, 0)
	if open {
		p.room = f.room(p.held)
	}
	var pause time.Duration
	p.room, pause = f.pace1.limit(p.room, now)
	if pause > 0 {
		p.until = now.Add(pause)
	}
	if f.cramped && p.slots > 0 {
		f.cramped, f.empty = false, false
	}
	claim := p.room > 0 && (!f.empty || !f.nextAt.IsZero() && !now.Before(f.nextAt))
	p.call = now.After(f.retryAt) && (claim || f.force || f.ackDue(now))
	f.planWakeups(&p, now, open)
	return p, false
}

// ackDue reports whether finished messages wait long enough, or for nothing.
func (f *fetcher) ackDue(now time.Time) bool {
	if len(f.finished) == 0 {
		f.ackFrom = time.Time{}
		return false
	}
	if f.ackFrom.IsZero() {
		f.ackFrom = now
	}
	return len(f.buffer) == 0 || len(f.finished) >= MaxBatch/2 || now.Sub(f.ackFrom) >= ackWait
}

func (f *fetcher) planWakeups(p *plan, now time.Time, open bool) {
	earlier := func(t time.Time) {
		if t.Before(p.until) {
			p.until = t
		}
	}
	if f.retryAt.After(now) {
		earlier(f.retryAt.Add(time.Microsecond))
	}
	if len(f.finished) > 0 && !f.ackFrom.IsZero() && !f.retryAt.After(now) {
		earlier(f.ackFrom.Add(ackWait))
	}
	if p.room > 0 && f.empty && !f.nextAt.IsZero() {
		earlier(f.nextAt)
	}
	switch {
	case f.opts.Accepting == nil:
	case !open:
		earlier(now.Add(5 * gateWait))
	case len(f.buffer) > 0:
		earlier(now.Add(gateWait))
	}
}

// room is how many messages to ask for: none while enough are held. The caller
// holds mu.
func (f *fetcher) room(held int) int {
	if f.solo != nil || f.alone && held > 0 {
		f.low = 0
		return 0
	}
	f.alone = false
	extra := 0
	if f.pace > 0 {
		extra = int(min(int64(f.opts.Prefetch), int64(f.opts.Concurrency)*int64(bufferedFor)/int64(f.pace)))
	}
	f.low = max(extra/2, extra-worthwhile)
	if len(f.buffer) > f.low {
		return 0
	}
	return min(f.opts.Concurrency+extra-held, MaxBatch)
}

// claim sends one request and distributes what it brought.
func (f *fetcher) claim(p plan) {
	acked := f.takeFinished()
	req := ClaimRequest{
		Consumer:    f.opts.Name,
		Max:         p.room,
		Slots:       p.slots,
		Held:        p.held,
		Lease:       f.opts.Lease,
		Done:        receipts(acked),
		MaxInFlight: f.opts.MaxInFlight,
		Rate:        f.opts.ClusterRate,
	}
	ctx, cancel := context.WithTimeout(f.ctx, f.q.opts.OpTimeout)
	defer cancel()
	sent := time.Now()
	got, err := f.q.backend.Claim(ctx, req)
	f.force, f.ackFrom = false, time.Time{}
	if err != nil {
		f.claimFailed(acked, err)
		return
	}
	f.failures = 0
	f.reportLost(got.Lost, acked)
	f.q.opts.Hooks.claimed(len(got.Messages), time.Since(sent))
	f.alone = got.SoloWaiting
	if p.room > 0 {
		f.empty = len(got.Messages) == 0
		f.cramped = f.empty && p.slots == 0
	}
	f.nextAt = time.Time{}
	if got.Next >= 0 {
		f.nextAt = time.Now().Add(got.Next)
	}
	f.hold(got.Messages, sent)
}

// claimFailed puts the acknowledgements back and pauses; some errors end the
// Consumer.
func (f *fetcher) claimFailed(acked []*Delivery, err error) {
	f.mu.Lock()
	f.finished = append(acked, f.finished...)
	f.mu.Unlock()
	if f.ctx.Err() != nil {
		return
	}
	f.report("claim", err)
	if fatal(err) {
		f.fail(f.q.fail("claim", err))
		f.closing.Do(func() {
			f.q.life.Go("shutdown", func(context.Context) {
				ctx, cancel := context.WithTimeout(context.Background(), f.opts.ShutdownGrace+f.q.opts.OpTimeout)
				defer cancel()
				f.shutdown(ctx)
			})
		})
	}
	f.pause()
}

func fatal(err error) bool {
	return errors.Is(err, ErrClosed) || errors.Is(err, ErrUnsupported) || errors.Is(err, ErrTopologyMismatch)
}

// pause keeps the loop from asking a backend that fails.
func (f *fetcher) pause() {
	p := backoff.Policy{Base: 50 * time.Millisecond, Max: 2 * time.Second, Jitter: 0.3}
	f.retryAt = time.Now().Add(p.Delay(f.failures))
	f.failures++
}

// startWait waits for a signal of the store, beside the loop.
func (f *fetcher) startWait() {
	d := idleWait
	if !f.nextAt.IsZero() {
		d = max(min(d, time.Until(f.nextAt)), 0)
	}
	w, ok := f.q.backend.(Waiter)
	if !ok {
		d = min(d, pollWait)
	}
	f.waiting = f.q.life.Go("wait", func(context.Context) {
		if !ok {
			f.waited <- backoff.Sleep(f.idle, d)
			return
		}
		f.waited <- w.Wait(f.idle, d)
	})
}

// waitDone asks again. The signal is passed on if this Consumer cannot use it.
func (f *fetcher) waitDone(err error) {
	f.waiting, f.empty, f.force = false, false, true
	if err != nil && f.idle.Err() == nil {
		f.report("wait", err)
		f.pause()
	}
}

func receipts(list []*Delivery) []Receipt {
	out := make([]Receipt, len(list))
	for i, d := range list {
		out[i] = d.receipt
	}
	return out
}
