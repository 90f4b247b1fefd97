package workerid

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var _ Worker = (*Lease)(nil)

// Lease is a worker number that nobody else stamps IDs with inside its Window. It
// is renewed in the background until Release, or Close of its Allocator. All
// methods are safe for concurrent use.
type Lease struct {
	from       *allocator
	id         int
	generation int64
	cursors    cursors
	window     atomic.Pointer[window]
	ctx        context.Context // it is the life of the lease
	cancel     context.CancelCauseFunc
	early      chan struct{} // asks for a renewal at once

	mu     sync.Mutex
	tenure tenure
	status Status
	end    int64 // end of the last stamped tick, once the lease ended
}

type window struct {
	Window

	moved chan struct{}
}

// Status is how a lease fares.
type Status struct {
	// Renewed is when the server last acknowledged the lease.
	Renewed time.Time
	// Failures counts the attempts at a renewal that failed since.
	Failures int
	// Err is the error of the last attempt, nil if it succeeded.
	Err error
	// Offset is how far the server's clock is ahead of this process's, as far as
	// the last reply could tell.
	Offset time.Duration
}

func newLease(a *allocator, t tenure, offset time.Duration) *Lease {
	l := &Lease{
		from: a, id: t.granted.ID, generation: t.granted.Generation,
		tenure: t,
		status: Status{Renewed: time.Now(), Offset: offset},
		early:  make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	l.cursors.start, l.cursors.advanced = t.granted.Start, l.advance
	l.slide()
	return l
}

// ID implements Worker.
func (l *Lease) ID() int { return l.id }

// Generation says how often the number has been leased, this lease included. A
// resource that remembers the highest one it saw can refuse earlier holders.
func (l *Lease) Generation() int64 { return l.generation }

// Context implements Worker: it ends when the lease does, with ErrLost or
// ErrReleased as its cause. It does not end because renewals fail: until the
// server has said so, the number may still be renewed.
func (l *Lease) Context() context.Context { return l.ctx }

// Window implements Worker. A generator whose clock reaches Mark waits for Moved.
func (l *Lease) Window() Window { return l.window.Load().Window }

// MaxTick implements Worker.
func (l *Lease) MaxTick() time.Duration { return l.from.opts.MaxTick }

// MaxAhead implements Worker.
func (l *Lease) MaxAhead() time.Duration { return l.from.opts.MaxAhead }

// Now implements Worker.
func (l *Lease) Now() int64 { return l.from.clock.now() }

// Cursor implements Worker.
func (l *Lease) Cursor(grid Grid) *Cursor { return l.cursors.on(grid) }

// Status returns how the lease fares.
func (l *Lease) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Release gives the number back: no generator makes another ID with it from here
// on, and the next holder may begin where they stopped. If the server cannot be
// told within ctx the number expires by itself. It reports ErrLost if the lease
// was lost before; a second call returns nil.
func (l *Lease) Release(ctx context.Context) error {
	leave, err := l.from.group.Enter()
	switch {
	case err == nil:
		defer leave()
		err = l.release(ctx)
	case l.ctx.Err() != nil:
		err = l.outcome()
	}
	if err != nil {
		return &OpError{Op: "release", ID: l.id, Err: err}
	}
	return nil
}

// slide publishes the window that the tenure allows now. The caller holds mu, or
// nobody else knows the lease yet.
func (l *Lease) slide() {
	moved := make(chan struct{})
	g := l.tenure.granted
	old := l.window.Swap(&window{Window{Start: g.Start, Mark: g.Mark, Moved: moved}, moved})
	if old != nil {
		close(old.moved)
	}
}

// advance has the window follow a generator that used up all ticks up to end
// with another number.
func (l *Lease) advance(end int64) {
	l.mu.Lock()
	at := l.from.clock.read()
	l.tenure.advance(end, at)
	late := l.tenure.spare(at) <= 0
	l.mu.Unlock()
	if late {
		select {
		case l.early <- struct{}{}:
		default: // asked for already
		}
	}
}

// finish ends the lease with cause unless it ended before, and reports whether
// this call did. No counter is given out once it has returned.
func (l *Lease) finish(cause error) bool {
	l.mu.Lock()
	if l.ctx.Err() != nil {
		l.mu.Unlock()
		return false
	}
	l.end = l.cursors.seal()
	l.cancel(cause)
	close(l.window.Load().moved)
	l.mu.Unlock()
	l.from.forget(l)
	l.from.opts.Hooks.ended(l, cause)
	return true
}

// release does not wait for a renewal under way: its nonce is known, and one that
// arrives later finds the token gone.
func (l *Lease) release(ctx context.Context) error {
	if !l.finish(ErrReleased) {
		return l.outcome()
	}
	l.mu.Lock()
	r := l.tenure.release(l.end)
	l.mu.Unlock()
	return l.from.attempt(ctx, func(ctx context.Context) error { return l.from.backend.Release(ctx, r) })
}

// outcome is what a Release of an ended lease reports.
func (l *Lease) outcome() error {
	if errors.Is(context.Cause(l.ctx), ErrReleased) {
		return nil
	}
	return ErrLost
}
