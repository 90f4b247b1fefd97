package queueredis

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/queue"
)

// longestWait bounds one blocking read, and so the read timeout of its client.
const longestWait = 5 * time.Second

// Wait implements queue.Waiter: a blocking read of the wake token, on a client of
// its own, where it keeps no other command waiting for a connection.
func (s *store) Wait(ctx context.Context, d time.Duration) error {
	d = min(d, longestWait)
	if d < time.Millisecond {
		return context.Cause(ctx)
	}
	c, err := s.waiters.take(s.rdb)
	if err != nil {
		return err
	}
	// A blocked read does not look at ctx: closing its connection ends it.
	unblock := context.AfterFunc(ctx, func() { s.waiters.drop(c) })
	// Sent as a float: the client's BLPop rounds up to seconds.
	err = c.Do(context.WithoutCancel(ctx), "blpop", s.keys[wakeKey], d.Seconds()).Err()
	if !unblock() && err != nil {
		return context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, redis.Nil) {
		s.waiters.drop(c)
		return s.explain(err)
	}
	s.waiters.put(c)
	return nil
}

// waiters are clients with one connection each, for blocking reads.
type waiters struct {
	mu     sync.Mutex
	idle   []redis.UniversalClient
	busy   map[redis.UniversalClient]bool
	closed bool
}

// take returns a client that nobody else uses.
func (w *waiters) take(rdb redis.UniversalClient) (redis.UniversalClient, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil, queue.ErrClosed
	}
	if w.busy == nil {
		w.busy = make(map[redis.UniversalClient]bool)
	}
	if n := len(w.idle); n > 0 {
		c := w.idle[n-1]
		w.idle = w.idle[:n-1]
		w.busy[c] = true
		return c, nil
	}
	c, err := redisconn.Clone(rdb, func(set *redisconn.Settings) {
		set.ContextTimeoutEnabled = true
		set.ReadTimeout = longestWait + time.Second
		set.MaxRetries = -1
		set.PoolSize, set.MinIdleConns = 1, 0
	})
	if err != nil {
		return nil, err
	}
	w.busy[c] = true
	return c, nil
}

func (w *waiters) put(c redis.UniversalClient) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.busy[c] {
		delete(w.busy, c)
		w.idle = append(w.idle, c)
	}
}

// drop closes a client that is in use, which ends its read.
func (w *waiters) drop(c redis.UniversalClient) {
	w.mu.Lock()
	known := w.busy[c]
	delete(w.busy, c)
	w.mu.Unlock()
	if known {
		_ = c.Close() // nothing depends on how it ends
	}
}

func (w *waiters) close() error {
	w.mu.Lock()
	w.closed = true
	all := w.idle
	for c := range w.busy {
		all = append(all, c)
	}
	w.idle, w.busy = nil, nil
	w.mu.Unlock()
	errs := make([]error, 0, len(all))
	for _, c := range all {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
