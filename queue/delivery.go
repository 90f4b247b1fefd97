package queue

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// Delivery is a leased message. It belongs to the goroutine of its handler.
type Delivery struct {
	Envelope
	// Attempt counts from 1. Snoozes and shutdowns do not count.
	Attempt int
	// EnqueuedAt is the store's time.
	EnqueuedAt time.Time

	q       *core
	receipt Receipt
	solo    bool
	result  []byte
	own     bool // from Receive: the caller settles

	run run // what the worker loop knows about it
}

// fill sets up a Delivery in place.
func (d *Delivery) fill(q *core, m *Claimed) {
	d.Envelope = m.Envelope
	d.Attempt, d.EnqueuedAt = m.Attempt, m.EnqueuedAt
	d.q, d.receipt, d.solo = q, m.Receipt, m.Solo
}

// SetResult keeps result with the message if it ends well and has a Retain time.
func (d *Delivery) SetResult(result []byte) { d.result = result }

// SetProgress shows progress to [Inspector.Get]. It reports [ErrUnsupported] and
// [ErrLeaseLost].
func (d *Delivery) SetProgress(ctx context.Context, progress []byte) error {
	b, ok := d.q.backend.(RecordBackend)
	if !ok {
		return d.q.fail("progress", d.q.require(CanRecord))
	}
	ctx, cancel := d.q.bounded(ctx)
	defer cancel()
	return d.q.fail("progress", b.SetProgress(ctx, d.receipt, progress))
}

// Settle ends the lease of a message from Receive as a handler's return value
// would: nil means done, [RetryIn] and its like mean what they say. It reports
// [ErrLeaseLost]. With a Consumer, the handler's return settles instead.
func (d *Delivery) Settle(ctx context.Context, outcome error) error {
	return d.settle(ctx, d.settlement(outcome, DefaultBackoff()))
}

// Release gives a message from Receive back to the head of the queue, without
// counting an attempt. It reports [ErrLeaseLost].
func (d *Delivery) Release(ctx context.Context) error {
	return d.settle(ctx, Settlement{Receipt: d.receipt, ID: d.ID, Verb: VerbRelease})
}

// Extend makes the lease of a message from Receive last for lease from now. It
// reports [ErrLeaseLost] and [ErrUnsupported].
func (d *Delivery) Extend(ctx context.Context, lease time.Duration) error {
	if err := d.mine(); err != nil {
		return d.q.fail("extend", err)
	}
	if err := d.q.require(CanLease); err != nil {
		return d.q.fail("extend", err)
	}
	ctx, cancel := d.q.bounded(ctx)
	defer cancel()
	errs, err := d.q.backend.Extend(ctx, []Receipt{d.receipt}, lease)
	return d.q.fail("extend", first(errs, err))
}

func (d *Delivery) settle(ctx context.Context, s Settlement) error {
	if err := d.mine(); err != nil {
		return d.q.fail("settle", err)
	}
	ctx, cancel := d.q.bounded(ctx)
	defer cancel()
	errs, err := d.q.backend.Settle(ctx, []Settlement{s})
	return d.q.fail("settle", first(errs, err))
}

func (d *Delivery) mine() error {
	if !d.own {
		return fmt.Errorf("%w: the handler's return value settles this message", ErrInvalid)
	}
	return nil
}

// first returns the error of a call about one item.
func first(errs []error, err error) error {
	if err == nil && len(errs) > 0 {
		err = errs[0]
	}
	return err
}

func stack() []byte { return debug.Stack() }
