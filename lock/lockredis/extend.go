package lockredis

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// Extend implements lock.Backend.
func (b *fifo) Extend(ctx context.Context, c lock.Claim) (lock.Reply, error) {
	s := b.of(c)
	n, err := s.keys.of(c.Name)
	if err != nil {
		return lock.Reply{}, err
	}
	r := lock.Reply{State: lock.Held}
	err = b.retry(ctx, func(ctx context.Context) error {
		r.Sent = time.Now()
		answer, acknowledged, err := b.extend(ctx, s, n, c)
		if err != nil || answer.at(0) == 0 {
			return err
		}
		r.State, r.Waiters = lock.Granted, int(answer.at(1))
		if acknowledged < c.Replicas {
			return lock.ErrNotReplicated
		}
		return nil
	})
	return r, err
}

// extend makes the round trip, the first time with the whole text.
func (b *fifo) extend(ctx context.Context, s *scripts, n names, c lock.Claim) (answer answer, acknowledged int, err error) {
	if c.Replicas > 0 || s.extended.Load() {
		return b.run(ctx, s.extend, n, c.Replicas, c.TTL, c.Token, c.TTL.Milliseconds())
	}
	answer, err = b.runText(ctx, s.extend, n.keys, c.Token, c.TTL.Milliseconds())
	if err == nil {
		s.extended.Store(true)
	}
	return answer, 0, err
}
