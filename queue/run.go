package queue

import (
	"context"
	"sync"
	"time"
)

// run is what the worker loop knows about a Delivery that it holds.
//
// It makes the handler's ctx, two contexts and a timer, only when somebody looks
// at it: handlers of small jobs often do not, and it would cost more than all
// else that a message takes in this process.
type run struct {
	mu      sync.Mutex
	gone    error // why the lease is not ours any more, or nil
	base    context.Context
	started time.Time // zero before
	timeout time.Duration
	ended   bool
	ctx     context.Context // nil until somebody looks
	stop    context.CancelFunc
	cancel  context.CancelCauseFunc

	leaseEnd time.Time // of the Consumer, under its lock
}

// begin starts the run and returns its handler's ctx.
func (r *run) begin(base context.Context, now time.Time, timeout time.Duration) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base, r.started, r.timeout = base, now, timeout
	return runContext{r}
}

// end releases what the ctx holds.
func (r *run) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	if r.ctx != nil {
		r.stop()
		r.cancel(nil)
	}
}

// context makes the ctx as it would be if it had been there from the start.
func (r *run) context() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx != nil {
		return r.ctx
	}
	cancellable, cancel := context.WithCancelCause(r.base)
	r.ctx, r.stop = context.WithDeadlineCause(cancellable, r.started.Add(r.timeout), ErrTimeout)
	r.cancel = cancel
	if r.gone != nil || r.ended {
		cancel(r.gone)
	}
	return r.ctx
}

// lose ends the handler's ctx and keeps its return value from being settled. It
// reports false if the message was gone already.
func (r *run) lose(cause error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone != nil {
		return false
	}
	r.gone = cause
	if r.ctx != nil {
		r.cancel(cause)
	}
	return true
}

// abandon is lose for a message that goes on without its handler.
func (r *run) abandon() bool { return r.lose(ErrHandlerStuck) }

func (r *run) isGone() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone != nil
}

// overdue reports a handler that outlived its timeout by grace.
func (r *run) overdue(now time.Time, grace time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gone == nil && !r.started.IsZero() && now.Sub(r.started) > r.timeout+grace
}

// runContext is a handler's ctx: that of its run, made at the first look.
type runContext struct{ r *run }

// Deadline implements context.Context.
func (c runContext) Deadline() (time.Time, bool) { return c.r.context().Deadline() }

// Done implements context.Context.
func (c runContext) Done() <-chan struct{} { return c.r.context().Done() }

// Err implements context.Context.
func (c runContext) Err() error { return c.r.context().Err() }

// Value implements context.Context.
func (c runContext) Value(key any) any { return c.r.context().Value(key) }
