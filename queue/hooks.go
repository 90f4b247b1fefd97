package queue

import (
	"context"
	"time"
)

// Hooks observe a Queue. Every field may be nil. Functions run on the goroutine
// where the event happens and must not block.
type Hooks struct {
	// Enqueued follows each message of Enqueue and EnqueueMany, stored or not.
	Enqueued func(ctx context.Context, m *Envelope, err error)
	// Started precedes a handler.
	Started func(ctx context.Context, d *Delivery)
	// Finished follows a handler: how its message goes on, and why.
	Finished func(ctx context.Context, d *Delivery, v Verb, err error, took time.Duration)
	// LeaseLost follows the end of a lease that nobody asked for.
	LeaseLost func(d *Delivery)
	// Claimed follows a claim that brought messages.
	Claimed func(n int, took time.Duration)
}

func (h *Hooks) enqueued(ctx context.Context, m *Envelope, err error) {
	if h.Enqueued != nil {
		h.Enqueued(ctx, m, err)
	}
}

func (h *Hooks) started(ctx context.Context, d *Delivery) {
	if h.Started != nil {
		h.Started(ctx, d)
	}
}

func (h *Hooks) finished(ctx context.Context, d *Delivery, v Verb, err error, took time.Duration) {
	if h.Finished != nil {
		h.Finished(ctx, d, v, err, took)
	}
}

func (h *Hooks) leaseLost(d *Delivery) {
	if h.LeaseLost != nil {
		h.LeaseLost(d)
	}
}

func (h *Hooks) claimed(n int, took time.Duration) {
	if h.Claimed != nil && n > 0 {
		h.Claimed(n, took)
	}
}
