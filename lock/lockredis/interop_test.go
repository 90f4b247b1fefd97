package lockredis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/bsm/redislock"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// Programs with redislock and both engines exclude each other on one key.
func TestInterop(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	fifo := open(t, client)
	simple := open(t, client, lockredis.Options{Engine: lockredis.Simple})
	plain := redislock.New(client)
	key, err := lockredis.Key("", "one")
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	lockers := map[string]lock.Locker{"fifo": fifo, "simple": simple}
	for name, holder := range lockers {
		lease := acquire(t, holder, "one", lock.Request{})
		if _, err := plain.Obtain(ctx, key, time.Second, nil); !errors.Is(err, redislock.ErrNotObtained) {
			t.Errorf("redislock against %s: %v", name, err)
		}
		for other, l := range lockers {
			if _, err := l.TryAcquire(ctx, "one", lock.Request{}); !errors.Is(err, lock.ErrHeld) {
				t.Errorf("%s against %s: %v", other, name, err)
			}
		}
		release(t, lease)
	}
	for name, l := range lockers {
		held, err := plain.Obtain(ctx, key, time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.TryAcquire(ctx, "one", lock.Request{}); !errors.Is(err, lock.ErrHeld) {
			t.Errorf("%s against redislock: %v", name, err)
		}
		time.AfterFunc(200*time.Millisecond, func() { _ = held.Release(context.Background()) })
		began := time.Now()
		release(t, acquire(t, l, "one", lock.Request{}))
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("%s noticed the release of redislock after %v", name, took)
		}
	}
}

// A foreign client whose token is the beginning of ours steals the lock by
// redislock's own rules. The next renewal notices.
func TestStolenByPrefix(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	key, err := lockredis.Key("", "one")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []lockredis.Engine{lockredis.FIFO, lockredis.Simple} {
		l := open(t, client, lockredis.Options{Engine: e})
		lease := acquire(t, l, "one", lock.Request{TTL: 900 * time.Millisecond})
		thief, err := redislock.Obtain(t.Context(), client, key, time.Minute, &redislock.Options{Token: lease.Token()[:8]})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-lease.Context().Done():
			if cause := context.Cause(lease.Context()); !errors.Is(cause, lock.ErrLost) {
				t.Errorf("cause %v", cause)
			}
		case <-time.After(600 * time.Millisecond):
			t.Error("not noticed at the next renewal")
		}
		if err := thief.Release(t.Context()); err != nil {
			t.Errorf("our loss took the lock from the thief: %v", err)
		}
	}
}
