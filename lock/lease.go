package lock

import (
	"context"
	"fmt"
	"time"
)

// A Lease is one grant of a name. All methods are safe for concurrent use.
type Lease struct {
	locker *locker
	seat   *seat
	name   string
	token  string
	fence  uint64
	since  time.Time
	ctx    context.Context // it is the life of the lease
	cancel context.CancelCauseFunc

	// Guarded by the mutex of the locker.
	opts  Request
	limit time.Time // its own end, if it has one besides that of the grant
	ended error     // why it ended
	last  time.Time // its deadline when it ended
}

// lease makes the lease of w on the tenure of s.
func (n *locker) lease(s *seat, w *waiter) *Lease {
	l := &Lease{
		locker: n,
		seat:   s,
		name:   s.claim.Name,
		token:  s.claim.Token,
		fence:  s.fence<<turnBits | s.turn,
		since:  time.Now(),
		opts:   w.opts,
	}
	l.ctx, l.cancel = context.WithCancelCause(context.WithoutCancel(w.ctx))
	if w.opts.NoRenew {
		l.cap(s.sent.Add(w.opts.TTL - margin(w.opts.TTL)))
	}
	if w.opts.MaxHold > 0 {
		l.cap(l.since.Add(w.opts.MaxHold))
	}
	return l
}

// cap lets the lease end at the given time at the latest.
func (l *Lease) cap(at time.Time) {
	if l.limit.IsZero() || at.Before(l.limit) {
		l.limit = at
	}
}

// Context has the values of the ctx of Acquire and ends with the lease, not
// with that ctx. Its cause is then ErrReleased or ErrLost.
func (l *Lease) Context() context.Context { return l.ctx }

// Name is the name that was granted.
func (l *Lease) Name() string { return l.name }

// Token identifies the grant at the backend. Several leases that follow each
// other in one process may share it.
func (l *Lease) Token() string { return l.token }

// Fence is larger than that of every earlier lease of the name.
func (l *Lease) Fence() uint64 { return l.fence }

// Deadline is when the lease ends if it is not renewed any more, with the margin
// taken off, on the monotonic clock. Each renewal moves it.
func (l *Lease) Deadline() time.Time {
	l.locker.mu.Lock()
	defer l.locker.mu.Unlock()
	if l.ended != nil {
		return l.last
	}
	return l.deadline()
}

func (l *Lease) deadline() time.Time {
	at := l.seat.ends.Add(-margin(l.opts.TTL))
	if !l.limit.IsZero() && l.limit.Before(at) {
		return l.limit
	}
	return at
}

// endCause says why the lease ends by the clock at now.
func (l *Lease) endCause(now time.Time) error {
	if l.opts.MaxHold > 0 && now.Sub(l.since) >= l.opts.MaxHold {
		return fmt.Errorf("%w: held for the longest time allowed, %v", ErrLost, l.opts.MaxHold)
	}
	if l.opts.NoRenew {
		return fmt.Errorf("%w: its ttl of %v is over", ErrLost, l.opts.TTL)
	}
	return fmt.Errorf("%w: not renewed in time", ErrLost)
}

// renewalTTL is how long a renewal lets the grant last: not beyond MaxHold.
func (l *Lease) renewalTTL(now time.Time) time.Duration {
	if l.limit.IsZero() {
		return l.opts.TTL
	}
	left := (l.limit.Sub(now) + margin(l.opts.TTL)).Truncate(time.Millisecond)
	return min(l.opts.TTL, max(left, time.Millisecond))
}

// end ends the lease; the mutex of the locker is held, which is safe because
// the end of a context runs no foreign code on this goroutine.
func (l *Lease) end(cause error) {
	l.last = l.deadline()
	l.ended = cause
	l.cancel(cause)
}
