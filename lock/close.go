package lock

import (
	"context"
	"errors"
	"sync"
)

// Close implements Locker.
func (n *locker) Close(ctx context.Context) error {
	defer n.end()
	return n.group.Close(ctx, n.closeAll)
}

// closeAll ends all leases and waits and gives back what the backend holds.
func (n *locker) closeAll(ctx context.Context) error {
	claims, taken := n.vacate()
	for _, l := range taken {
		n.lostHook(l, errTaken)
	}
	var (
		mu   sync.Mutex
		errs []error
		wg   sync.WaitGroup
	)
	places := make(chan struct{}, 16)
	for _, c := range claims {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if _, err := n.backend.Release(ctx, c); err != nil {
				mu.Lock()
				errs = append(errs, opError("release", c.Name, err))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), n.backend.Close(ctx))
}

// vacate empties all seats and returns what the backend may hold for them.
func (n *locker) vacate() (claims []Claim, taken []*Lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	n.alarms.stop()
	for _, s := range n.seats {
		if s.placed {
			claims = append(claims, s.released())
		}
		if l := s.lease; l != nil {
			s.lease = nil
			l.end(errTaken)
			taken = append(taken, l)
		}
		for w := s.waiters.front(); w != nil; w = s.waiters.front() {
			s.waiters.remove(w)
			w.err = ErrClosed
			w.signal()
		}
	}
	clear(n.names)
	clear(n.seats)
	return claims, taken
}

// giveBack releases c in the background; it is the end of a claim that nobody
// here waits for any more.
func (n *locker) giveBack(c Claim, pause func(ctx context.Context)) {
	n.group.Go("release", func(ctx context.Context) {
		if pause != nil {
			pause(ctx)
		}
		ctx, cancel := context.WithTimeout(n.life, n.conf.OpTimeout)
		defer cancel()
		if _, err := n.backend.Release(ctx, c); err != nil {
			n.conf.Logger.Warn("lock: not given back, it ends with its ttl", "name", c.Name, "err", err)
		}
	})
}
