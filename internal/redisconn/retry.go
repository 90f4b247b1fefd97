package redisconn

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediserr"
)

// patience is how long an attempt on a cluster may run before the slots are
// looked up anew: go-redis dials a dead master several times before it gives up.
const patience = 250 * time.Millisecond

// Retry is rediserr.Retry for commands that f sends with c. If c is a cluster
// client, an attempt that fails or is slow also makes it look up which node has
// which slots; by itself go-redis asks only a node that still answers, so it
// would keep to a dead master for ClusterStateReloadInterval. go-redis limits
// the look-ups to five per second.
func Retry(ctx context.Context, c redis.UniversalClient, opTimeout time.Duration, f func(ctx context.Context) error) error {
	cluster, ok := c.(*redis.ClusterClient)
	if !ok {
		return rediserr.Retry(ctx, opTimeout, f)
	}
	return rediserr.Retry(ctx, opTimeout, func(ctx context.Context) error {
		stop := every(patience, func() { cluster.ReloadState(ctx) })
		defer stop()
		err := f(ctx)
		if rediserr.Retryable(err) {
			cluster.ReloadState(ctx)
		}
		return err
	})
}

// every calls f each time d has passed until stop is called.
func every(d time.Duration, f func()) (stop func()) {
	var (
		mu      sync.Mutex
		stopped bool
		t       *time.Timer
	)
	mu.Lock()
	defer mu.Unlock()
	t = time.AfterFunc(d, func() {
		f()
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			t.Reset(d)
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		stopped = true
		t.Stop()
	}
}
