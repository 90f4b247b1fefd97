package queue

import (
	"context"
	"time"
)

// Limits of one call to a Backend; the callers in this package keep to them.
const (
	// MaxBatch is the number of messages or receipts of one call.
	MaxBatch = 1000
	// MaxBatchBytes is the size of the messages of one call, unless a single
	// message is larger.
	MaxBatchBytes = 4 << 20
)

// Backend stores the messages of one queue. It moves batches between states;
// checks of requests, retries' delays, heartbeats and shutdown are not its work.
// All methods are safe for concurrent use, return when ctx ends, and retry by
// themselves what may be retried, so that an error is worth a longer pause. An
// error of one item stands in the slice of errors (nil, or one per item); the
// last error means that none of the items is known to have been handled, and is
// ErrUncertain if some may have been.
//
// Further abilities are the interfaces [Waiter], [Notifier], [InspectBackend],
// [ControlBackend], [RecordBackend] and [ScheduleBackend].
type Backend interface {
	// Capabilities describes the backend without I/O.
	Capabilities() Capabilities
	// Enqueue stores messages in order.
	Enqueue(ctx context.Context, batch []Envelope) ([]error, error)
	// Claim acknowledges req.Done, then leases up to req.Max messages. It does
	// not wait for messages.
	Claim(ctx context.Context, req ClaimRequest) (Claim, error)
	// Extend makes leases last for d from now; ErrLeaseLost for those that the
	// caller does not hold any more. A backend whose leases do not end by time
	// only answers which of them are lost.
	Extend(ctx context.Context, receipts []Receipt, d time.Duration) ([]error, error)
	// Settle ends leases; ErrLeaseLost as for Extend.
	Settle(ctx context.Context, batch []Settlement) ([]error, error)
	// Close gives up what the backend holds open. It is called once, last.
	Close(ctx context.Context) error
}

// Waiter is a Backend that can tell when a claim may succeed. One without it is
// asked again every 100 ms.
type Waiter interface {
	// Wait returns nil when a claim may succeed, at the latest after d.
	Wait(ctx context.Context, d time.Duration) error
}

// Notifier is a Backend that knows when leases are lost all at once, as with a
// connection.
type Notifier interface {
	// Losses receives a value after leases were lost; Extend then says which.
	Losses() <-chan struct{}
}

// Receipt stands for one lease of one message. It never recurs.
type Receipt string

// ClaimRequest asks for messages.
type ClaimRequest struct {
	// Consumer names the caller to Inspector.Consumers and to the store.
	Consumer string
	// Max is how many messages to lease, at most MaxBatch; 0 only settles.
	Max int
	// Slots is how many of Max can start at once. A message whose worker was
	// lost before is not given beyond them, where it would be lost again
	// without having run.
	Slots int
	// Held is how many messages the caller holds already.
	Held int
	// Lease is how long each lease lasts.
	Lease time.Duration
	// Done are leases whose messages are finished.
	Done []Receipt
	// MaxInFlight bounds the leased messages of the whole queue; 0 = no bound.
	MaxInFlight int
	// Rate bounds the claims of the whole queue; zero = no bound.
	Rate Rate
}

// Claim is the reply to a ClaimRequest.
type Claim struct {
	Messages []Claimed
	// Lost are those of Done that the caller did not hold.
	Lost []Receipt
	// Next is when a claim may succeed even if nothing new is enqueued; negative
	// if that is not known.
	Next time.Duration
	// SoloWaiting tells that a message must run alone, and was not given because
	// the caller holds others.
	SoloWaiting bool
	// Paused tells that the queue is paused.
	Paused bool
}

// Claimed is one leased message.
type Claimed struct {
	Envelope
	Receipt Receipt
	// Attempt counts from 1.
	Attempt int
	// EnqueuedAt is the store's time.
	EnqueuedAt time.Time
	// Solo demands that the process runs nothing beside this message: it lost
	// its workers repeatedly, and the next loss will count as an attempt.
	Solo bool
}

// Verb says how a lease ends.
type Verb uint8

// The ways in which a lease ends.
const (
	// VerbDone: finished.
	VerbDone Verb = iota
	// VerbRetry: failed; again after Delay.
	VerbRetry
	// VerbSnooze: not now; again after Delay, and no attempt was used.
	VerbSnooze
	// VerbRelease: back to the head at once, and no attempt was used.
	VerbRelease
	// VerbDiscard: failed, never again, not kept.
	VerbDiscard
	// VerbDead: failed for good, kept among the dead.
	VerbDead
)

// String returns the verb in lower case.
func (v Verb) String() string {
	return [...]string{"done", "retry", "snooze", "release", "discard", "dead"}[v]
}

// Settlement ends one lease.
type Settlement struct {
	Receipt Receipt
	ID      ID
	Verb    Verb
	Delay   time.Duration // for VerbRetry and VerbSnooze
	Reason  string        // the error, for VerbRetry, VerbDiscard and VerbDead
	Result  []byte        // for VerbDone
}

// Rate allows Burst at once and N per Per in the long run. The zero Rate does
// not limit. Burst defaults to N.
type Rate struct {
	N     int
	Per   time.Duration
	Burst int
}
