package lock

import (
	"context"
	"fmt"
	"time"
)

// Extend makes the lease last for at least ttl from now, and renewals last for
// ttl from then on. It does not lift MaxHold. ErrLost ends the lease; after any
// other error it lives on as before.
func (l *Lease) Extend(ctx context.Context, ttl time.Duration) error {
	return opError("extend", l.name, l.locker.extend(ctx, l, ttl))
}

func (n *locker) extend(ctx context.Context, l *Lease, ttl time.Duration) error {
	n.mu.Lock()
	ended, c, o := l.ended, l.seat.claim, l.opts
	n.mu.Unlock()
	if ended != nil {
		return ended
	}
	leave, err := n.group.Enter()
	if err != nil {
		return err
	}
	defer leave()
	o.TTL = ttl
	o, err = o.check(l.name)
	if ttl == 0 || err != nil {
		return fmt.Errorf("%w: %v", ErrInvalidTTL, ttl)
	}
	c.TTL, c.Replicas = o.TTL, o.Replicas
	sent := time.Now()
	r, err := n.backend.Extend(ctx, c)
	if err != nil {
		return err
	}
	if r.Sent.IsZero() {
		r.Sent = sent
	}
	return n.extendedTo(l, c.TTL, r)
}

// extendedTo takes the answer to an Extend of the holder.
func (n *locker) extendedTo(l *Lease, ttl time.Duration, r Reply) error {
	n.mu.Lock()
	if l.ended != nil {
		n.mu.Unlock()
		return l.ended
	}
	if r.State != Granted {
		n.lose(l.seat, ErrLost, true)
		n.mu.Unlock()
		n.lostHook(l, ErrLost)
		return ErrLost
	}
	defer n.mu.Unlock()
	l.seat.extended(r, ttl)
	l.opts.TTL = ttl
	if l.opts.NoRenew {
		l.limit = later(l.limit, r.Sent.Add(ttl-margin(ttl)))
		if l.opts.MaxHold > 0 {
			l.cap(l.since.Add(l.opts.MaxHold))
		}
	}
	n.schedule(l.seat)
	return nil
}
