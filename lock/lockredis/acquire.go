package lockredis

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/lock"
)

// How long a waiter relies on being told.
const (
	longestPoll   = 5 * time.Second
	uncountedPoll = time.Second            // where a grant may have gone to the dead
	foreignPoll   = 100 * time.Millisecond // while the holder hands nothing on
	deafPoll      = 50 * time.Millisecond  // where messages are refused
)

// What acquire.lua says of a lock that is held, in one number.
const (
	handsOn = 1 << iota // the holder tells who is next
	joined              // the token was not in the queue before
)

// Acquire implements lock.Backend. The first wait of a process subscribes it
// before it enters a queue.
func (b *fifo) Acquire(ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
	hears := b.hears()
	r, err := b.acquire(ctx, c, wait && hears != silent)
	if err != nil || r.State == lock.Granted || !wait || hears != silent {
		return r, err
	}
	if err := b.listen(ctx); err != nil {
		return r, err
	}
	return b.acquire(ctx, c, true)
}

func (b *fifo) acquire(ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
	s := b.of(c)
	n, err := s.keys.of(c.Name)
	if err != nil {
		return lock.Reply{}, err
	}
	args := []any{c.Token, c.TTL.Milliseconds(), n.telling, flag(wait), c.Permits}
	if c.Permits == 0 {
		args = args[:4]
	}
	var r lock.Reply
	err = b.retry(ctx, func(ctx context.Context) error {
		r.Sent = time.Now()
		answer, acknowledged, err := b.run(ctx, s.acquire, n, c.Replicas, c.TTL, args...)
		switch {
		case err != nil:
			return err
		case answer.alone:
			r.State, r.Fence, r.Waiters = lock.Granted, uint64(answer.at(0)), 0
		case answer.at(0) == 0:
			r.State, r.Poll = lock.Held, b.poll(answer.at(1), answer.at(3)&handsOn != 0)
			r.Waiters = int(answer.at(2))
			if wait {
				now, since := time.Now(), time.Time{}
				if answer.at(3)&joined != 0 {
					since = now
				}
				b.pulse.relied(now, since, now.Add(r.Poll))
			}
			return nil
		default:
			r.State, r.Fence, r.Waiters = lock.Granted, uint64(answer.at(1)), int(answer.at(2))
		}
		if acknowledged < c.Replicas {
			return lock.ErrNotReplicated
		}
		return nil
	})
	return r, err
}

// poll says when to ask again: when the holder's grant has ended, or before that
// where the message of a release may not come.
func (b *fifo) poll(pttl int64, told bool) time.Duration {
	longest := longestPoll
	switch {
	case b.hears() == refused:
		longest = deafPoll
	case !told:
		longest = foreignPoll
	case b.cluster:
		longest = uncountedPoll
	}
	if pttl < 0 { // no expiry, which only a foreign program leaves out
		return longest
	}
	return min(longest, time.Duration(pttl+2)*time.Millisecond)
}

// primary returns the client on which a command for key and a WAIT reach the
// same server.
func (c *conn) primary(ctx context.Context, key string) (redis.UniversalClient, error) {
	if cluster, ok := c.client.(*redis.ClusterClient); ok {
		return cluster.MasterForKey(ctx, key)
	}
	return c.client, nil
}
