package queue

import (
	"context"
	"time"
)

// State is where a message stands.
type State string

// The states of a message.
const (
	// StateReady: a worker may take it now.
	StateReady State = "ready"
	// StateWaiting: ready, but an earlier message of its Key is not finished.
	StateWaiting State = "waiting"
	// StateInFlight: leased.
	StateInFlight State = "in flight"
	// StateDelayed: its time has not come, after Delay, a retry or a snooze.
	StateDelayed State = "delayed"
	// StateDead: failed for good.
	StateDead State = "dead"
	// StateFinished: done and retained.
	StateFinished State = "finished"
)

// States returns all states.
func States() []State {
	return []State{StateReady, StateWaiting, StateInFlight, StateDelayed, StateDead, StateFinished}
}

// Inspector reads a queue without changing it. A backend with CanCount and CanKeepDead
// but without CanInspect tells of messages that are ready or dead; asked for others it
// reports ErrUnsupported.
type Inspector interface {
	Stats(ctx context.Context) (Stats, error)
	// List returns a page of the messages of one state, oldest first.
	List(ctx context.Context, req ListRequest) (Page, error)
	// Get reports ErrNotFound for an ID that the queue does not hold, and
	// ErrUnsupported where it may be in a state that cannot be inspected.
	Get(ctx context.Context, id ID) (Info, error)
	// Consumers lists those of the whole cluster that claimed of late.
	Consumers(ctx context.Context) ([]ConsumerInfo, error)
}

// Controller changes a queue from outside.
type Controller interface {
	// Cancel removes a message in any state, ErrNotFound if there is none. The
	// handler of one in flight has its ctx cancelled with ErrLeaseLost at the
	// next heartbeat; its Key opens when the handler returned. Without CanCancel
	// it removes dead messages, and reports ErrUnsupported for any other.
	Cancel(ctx context.Context, id ID) error
	// Redrive makes dead messages ready again, with all their attempts, behind
	// those that are ready already, and returns how many.
	Redrive(ctx context.Context, opts RedriveOptions) (int, error)
	// Purge removes all messages of the states (StateReady includes StateWaiting;
	// none means all of them) and returns how many. Messages in flight stay. It
	// goes in pages, so that it blocks nobody: what is enqueued meanwhile goes too,
	// and after an error those that were counted are gone. If one of the states
	// cannot be purged, nothing is.
	Purge(ctx context.Context, states ...State) (int, error)
	// Pause stops all claims of the cluster until then, or until Resume if until
	// is zero. Enqueue goes on, running handlers finish.
	Pause(ctx context.Context, until time.Time) error
	Resume(ctx context.Context) error
}

// Forever is the end of a pause that only Resume ends.
func Forever() time.Time { return time.UnixMilli(1<<47 - 1) }

// Stats counts the messages of a queue.
type Stats struct {
	Now time.Time // the store's time

	Ready    [4]int // urgent first
	Waiting  int
	InFlight int
	Delayed  int
	Dead     int
	Finished int
	// OldestReady is how long the message that is next has existed.
	OldestReady time.Duration
	// PausedUntil is zero unless the queue is paused.
	PausedUntil time.Time

	Accounts
}

// ReadyTotal is the number of ready messages of all priorities.
func (s Stats) ReadyTotal() int { return s.Ready[0] + s.Ready[1] + s.Ready[2] + s.Ready[3] }

// Left is the number of messages that are neither finished nor removed.
func (s Stats) Left() int { return s.ReadyTotal() + s.Waiting + s.InFlight + s.Delayed + s.Dead }

// Accounts counts since the queue exists. Enqueued is always the sum of Done,
// Discarded, Expired, Purged, Cancelled, Trimmed and what is left.
type Accounts struct {
	Enqueued, Done, Discarded, Expired, Purged, Cancelled, Trimmed int64
	// Retried, Died and Redriven count transitions, Lapsed lost leases.
	Retried, Died, Redriven, Lapsed int64
}

// Rates are messages per second between two Stats.
type Rates struct{ Enqueued, Done, Failed float64 }

// Since returns the rates between an earlier Stats and s.
func (s Stats) Since(earlier Stats) Rates {
	seconds := s.Now.Sub(earlier.Now).Seconds()
	if seconds <= 0 {
		return Rates{}
	}
	return Rates{
		Enqueued: float64(s.Enqueued-earlier.Enqueued) / seconds,
		Done:     float64(s.Done-earlier.Done) / seconds,
		Failed:   float64(s.Retried+s.Died-earlier.Retried-earlier.Died) / seconds,
	}
}

// ListRequest asks for a page of messages.
type ListRequest struct {
	State State
	// Offset is how many to skip; messages that move meanwhile may be missed or
	// repeated.
	Offset int
	// Limit is 100 by default, at most MaxBatch.
	Limit int
}

// Page is part of a list.
type Page struct {
	Messages []Info
	// More tells that Offset + len(Messages) has further messages.
	More bool
}

// Info is what a queue knows about one message.
type Info struct {
	Envelope
	State      State
	EnqueuedAt time.Time
	// Failures counts failed attempts; LastError is the last one's.
	Failures  int
	LastError string
	// Due is when the message becomes ready (StateDelayed), the lease ends
	// (StateInFlight), it died (StateDead) or it is forgotten (StateFinished).
	Due      time.Time
	Progress []byte
	Result   []byte
}

// ConsumerInfo describes a consumer of the cluster.
type ConsumerInfo struct {
	Name string
	// Seen is its last claim, by the store's clock.
	Seen time.Time
}

// RedriveOptions choose dead messages. The zero value means all of them.
type RedriveOptions struct {
	// Filter chooses; nil means every message.
	Filter func(Info) bool
	// Max bounds how many are redriven; 0 = no bound.
	Max int
	// Rate spreads them over time; zero = at once.
	Rate Rate
}
