package lock

import (
	"context"
	"time"
)

// Release ends the lease and gives the name to the next waiter. It works with a
// ctx that has ended, too, in a time of its own. A lease that ended before is
// ErrLost or ErrReleased, and nothing changes. Any other error means that the
// lease has ended here but the name may stay taken until its TTL is over.
func (l *Lease) Release(ctx context.Context) error {
	return opError("release", l.name, l.locker.release(ctx, l))
}

func (n *locker) release(ctx context.Context, l *Lease) error {
	claim, held, err := n.surrender(l)
	if err != nil {
		return err
	}
	n.conf.Hooks.released(l)
	if !held {
		return nil
	}
	if ctx.Err() != nil {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), n.conf.OpTimeout)
		defer cancel()
		ctx = own
	}
	had, err := n.backend.Release(ctx, claim)
	switch {
	case err != nil:
		n.giveBack(claim, nil)
		return err
	case !had:
		return ErrLost
	}
	return nil
}

// surrender ends l for its holder and returns the claim, and whether the backend
// must release it.
func (n *locker) surrender(l *Lease) (c Claim, release bool, err error) {
	n.mu.Lock()
	if l.ended != nil {
		n.mu.Unlock()
		return c, false, l.ended
	}
	if now := time.Now(); !now.Before(l.deadline()) {
		cause := l.endCause(now)
		n.lose(l.seat, cause, false)
		n.mu.Unlock()
		n.lostHook(l, cause)
		return c, false, cause
	}
	defer n.mu.Unlock()
	l.end(ErrReleased)
	c, release = n.hand(l.seat)
	return c, release, nil
}
