package lockredis_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// Waiters that give up at once, at every moment of the protocol, leave nothing
// behind.
func TestStormOfDeadlines(t *testing.T) { storm(t) }

// After them the next one has the lock at once.
func TestTimingAfterStorm(t *testing.T) {
	testenv.Timing(t)
	if took := storm(t); took > 10*time.Millisecond {
		t.Errorf("the next acquire took %v, want 5ms", took)
	}
}

// storm returns how long the first acquire after it took.
func storm(t *testing.T) time.Duration {
	t.Helper()
	server := testenv.Redis(t)
	client := server.Client(t)
	nodes := []lock.Locker{open(t, server.Client(t)), open(t, server.Client(t)), open(t, server.Client(t)), open(t, server.Client(t))}
	span := 3 * time.Second
	if testenv.Long() {
		span = 10 * time.Second
	}
	end := time.Now().Add(span)
	var granted, ended atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for time.Now().Before(end) {
				ctx, cancel := context.WithTimeout(t.Context(), rand.N(2*time.Millisecond))
				lease, err := nodes[i%4].Acquire(ctx, "one", lock.Request{TTL: 5 * time.Second})
				cancel()
				if err != nil {
					ended.Add(1)
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("acquire: %v", err)
					}
					continue
				}
				granted.Add(1)
				release(t, lease)
			}
		})
	}
	all.Wait()
	began := time.Now()
	lease := acquire(t, nodes[0], "one", lock.Request{})
	took := time.Since(began)
	release(t, lease)
	t.Logf("%d granted, %d given up, the next one after %v", granted.Load(), ended.Load(), took)
	key, err := lockredis.Key("", "one")
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(time.Millisecond) {
		info, err := nodes[0].Inspect(t.Context(), "one")
		left, err2 := client.Exists(t.Context(), key).Result()
		if err == nil && err2 == nil && info.Waiters == 0 && left == 0 {
			return took
		}
		if time.Now().After(end) {
			t.Fatalf("left behind: %+v, key %d (%v, %v)", info, left, err, err2)
		}
	}
}

// Connections of subscribers are cut all the time: nobody waits for ever.
func TestSubscriptionsCut(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	span := 4 * time.Second
	if testenv.Long() {
		span = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var longest atomic.Int64
	var turns atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		node := open(t, server.Client(t))
		for range 4 {
			all.Go(func() {
				for ctx.Err() == nil {
					began := time.Now()
					lease := acquire(t, node, "one", lock.Request{TTL: 10 * time.Second})
					for took := int64(time.Since(began)); took > longest.Load(); {
						longest.Store(took)
					}
					time.Sleep(time.Millisecond)
					release(t, lease)
					turns.Add(1)
				}
			})
		}
	}
	for ctx.Err() == nil {
		client.ClientKillByFilter(ctx, "TYPE", "pubsub")
		time.Sleep(50 * time.Millisecond)
	}
	all.Wait()
	t.Logf("%d turns, the longest wait took %v", turns.Load(), time.Duration(longest.Load()))
	if d := time.Duration(longest.Load()); d > 6*time.Second {
		t.Errorf("a waiter waited for %v", d)
	}
}

// A server that forgets its scripts all the time: users see no error.
func TestScriptsFlushed(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	var all sync.WaitGroup
	for _, e := range []lockredis.Engine{lockredis.FIFO, lockredis.FIFO, lockredis.Simple} {
		node := open(t, server.Client(t), lockredis.Options{Engine: e})
		for range 2 {
			all.Go(func() {
				for ctx.Err() == nil {
					release(t, acquire(t, node, "one", lock.Request{}))
				}
			})
		}
	}
	for ctx.Err() == nil {
		client.ScriptFlush(ctx)
		time.Sleep(5 * time.Millisecond)
	}
	all.Wait()
}
