package lockredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/bsm/redislock"

	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/lock"
)

//go:embed fence.lua
var fenceLua string

// mark follows the token in the value of a lock of the Simple engine, so that
// waiters of the other engine see that its release will not wake them.
const mark = ":simple"

// bare is the token in the value of a lock.
func bare(value string) string { return strings.TrimSuffix(value, mark) }

// simple is the engine whose Obtain, Refresh and Release are redislock's.
type simple struct {
	conn
	fence *script.Script

	mu     sync.Mutex
	grants map[string]simpleGrant // by token
	sweep  int                    // remove those that are over when there are so many
}

// simpleGrant is what is remembered of a grant: when it ends, and its fence.
type simpleGrant struct {
	ends  time.Time
	fence uint64
}

var _ lock.Backend = (*simple)(nil)

func newSimple(c conn) *simple {
	return &simple{conn: c, fence: script.New(fenceLua), grants: make(map[string]simpleGrant), sweep: leastSweep}
}

// Start implements lock.Backend.
func (b *simple) Start(string, lock.Events) error { return nil }

// Close implements lock.Backend.
func (b *simple) Close(context.Context) error { return nil }

// Acquire implements lock.Backend. It says that others wait, because nobody
// knows, so that no process serves only its own waiters.
func (b *simple) Acquire(ctx context.Context, c lock.Claim, _ bool) (lock.Reply, error) {
	if c.Permits > 0 || c.Replicas > 0 {
		return lock.Reply{}, fmt.Errorf("%w: Permits and Replicas", lock.ErrUnsupported)
	}
	n, err := b.names(c.Name, "held", "fence")
	if err != nil {
		return lock.Reply{}, err
	}
	r := lock.Reply{State: lock.Held, Poll: 20*time.Millisecond + rand.N(20*time.Millisecond)}
	err = b.retry(ctx, func(ctx context.Context) error {
		r.Sent = time.Now()
		p := &fencing{Scripter: b.client, backend: b, counter: n.keys[1], value: c.Token + mark}
		_, err := redislock.Obtain(ctx, p, n.keys[0], c.TTL, &redislock.Options{Token: c.Token, Metadata: mark})
		if errors.Is(err, redislock.ErrNotObtained) {
			return nil
		}
		if err != nil {
			return err
		}
		r.State, r.Fence, r.Waiters = lock.Granted, p.fence, 1
		return nil
	})
	if err == nil && r.State == lock.Granted {
		r.Fence = b.lasts(c.Token, r.Sent.Add(c.TTL), r.Fence)
	}
	return r, err
}

// Extend implements lock.Backend. redislock's Refresh sets the end of a lock, so
// it is asked for the later one of the old end and the new.
func (b *simple) Extend(ctx context.Context, c lock.Claim) (lock.Reply, error) {
	n, err := b.names(c.Name, "held")
	if err != nil {
		return lock.Reply{}, err
	}
	l, err := b.handle(ctx, n.keys[0], c.Token)
	if err != nil {
		return lock.Reply{}, err
	}
	r := lock.Reply{State: lock.Held}
	err = b.retry(ctx, func(ctx context.Context) error {
		left, err := b.left(ctx, l, c.Token)
		if err != nil {
			return err
		}
		r.Sent = time.Now()
		err = l.Refresh(ctx, max(c.TTL, left), nil)
		if errors.Is(err, redislock.ErrNotObtained) {
			return nil
		}
		if err != nil {
			return err
		}
		r.State, r.Waiters = lock.Granted, 1
		b.lasts(c.Token, r.Sent.Add(max(c.TTL, left)), 0)
		return nil
	})
	return r, err
}

// Release implements lock.Backend.
func (b *simple) Release(ctx context.Context, c lock.Claim) (had bool, err error) {
	n, err := b.names(c.Name, "held")
	if err != nil {
		return false, err
	}
	l, err := b.handle(ctx, n.keys[0], c.Token)
	if err != nil {
		return false, err
	}
	defer b.forget(c.Token)
	unsure := false
	err = b.retry(ctx, func(ctx context.Context) error {
		err := l.Release(ctx)
		if errors.Is(err, redislock.ErrLockNotHeld) {
			had = unsure && time.Now().Before(c.Deadline)
			return nil
		}
		unsure = unsure || rediserr.Uncertain(err)
		had = err == nil
		return err
	})
	return had, err
}

// left is how long the grant lasts, as far as it is known; a grant that another
// Locker took is looked up.
func (b *simple) left(ctx context.Context, l *redislock.Lock, token string) (time.Duration, error) {
	b.mu.Lock()
	g, known := b.grants[token]
	b.mu.Unlock()
	if known {
		return time.Until(g.ends), nil
	}
	return l.TTL(ctx)
}

// lasts notes an end of the grant and returns its fence, which is the first one:
// asking again does not change it.
func (b *simple) lasts(token string, ends time.Time, fence uint64) uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.grants) >= b.sweep {
		b.clean(time.Now())
	}
	g := b.grants[token]
	if ends.After(g.ends) {
		g.ends = ends
	}
	if g.fence == 0 {
		g.fence = fence
	}
	b.grants[token] = g
	return g.fence
}

// leastSweep keeps a small map from being swept all the time.
const leastSweep = 64

// clean removes the grants that were lost, which nobody releases.
func (b *simple) clean(now time.Time) {
	maps.DeleteFunc(b.grants, func(_ string, g simpleGrant) bool { return g.ends.Before(now) })
	b.sweep = max(leastSweep, 2*len(b.grants))
}

func (b *simple) forget(token string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.grants, token)
}
