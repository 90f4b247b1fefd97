package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Handler does the job of one message. nil finishes it. An error, or a panic,
// is a failure: the message is tried again after a pause that grows, until
// MaxAttempts, and is dead then. [RetryIn], [Snooze], [Discard] and [Dead] say
// otherwise. ctx ends with the lease ([ErrLeaseLost]), with the timeout
// ([ErrTimeout]) and at shutdown ([ErrShutdown]).
type Handler func(ctx context.Context, d *Delivery) error

// Middleware wraps a Handler. The first of a list is the outermost.
type Middleware func(Handler) Handler

// outcome is an error that says how a message goes on.
type outcome struct {
	verb  Verb
	delay time.Duration
	err   error
}

func (o *outcome) Error() string {
	if o.err == nil {
		return o.verb.String()
	}
	return o.verb.String() + ": " + o.err.Error()
}

func (o *outcome) Unwrap() error { return o.err }

// RetryIn reports a failure whose next attempt is due after d.
func RetryIn(d time.Duration, err error) error { return &outcome{VerbRetry, max(d, 0), err} }

// Snooze puts the message off by d without counting an attempt.
func Snooze(d time.Duration) error { return &outcome{VerbSnooze, max(d, 0), nil} }

// Discard drops the message: it failed and must not come again.
func Discard(err error) error { return &outcome{VerbDiscard, 0, err} }

// Dead puts the message among the dead at once.
func Dead(err error) error { return &outcome{VerbDead, 0, err} }

// Backoff returns the pause before the next attempt, after the given number of
// failures (1 or more).
type Backoff func(failures int, err error) time.Duration

// settlement turns what a handler returned into the end of its lease.
func (d *Delivery) settlement(err error, backoff Backoff) Settlement {
	s := Settlement{Receipt: d.receipt, ID: d.ID, Verb: VerbDone, Result: d.result}
	if err == nil {
		return s
	}
	s.Verb, s.Delay, s.Reason, s.Result = VerbRetry, -1, err.Error(), nil
	if o, ok := errors.AsType[*outcome](err); ok {
		s.Verb, s.Delay = o.verb, o.delay
		if o.err != nil {
			s.Reason = o.err.Error()
		}
	}
	if s.Verb == VerbRetry && d.Attempt >= d.MaxAttempts {
		s.Verb = VerbDead
	}
	if s.Verb == VerbRetry && s.Delay < 0 {
		s.Delay = backoff(d.Attempt, err)
	}
	s.Delay = max(s.Delay, 0)
	if len(s.Reason) > maxReason {
		s.Reason = s.Reason[:maxReason]
	}
	return s
}

// maxReason bounds the error text that a queue keeps.
const maxReason = 1024

// call runs h and turns a panic into an error.
func call(ctx context.Context, h Handler, d *Delivery) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %v\n%s", ErrHandlerPanic, v, stack())
		}
	}()
	return h(ctx, d)
}
