package workeridredis_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// quick are options of leases that end soon.
func quick(count int) workeridredis.Options {
	return workeridredis.Options{Options: workerid.Options{
		Count: count, TTL: 600 * time.Millisecond, Renew: 150 * time.Millisecond, Horizon: 400 * time.Millisecond,
		Skew: 50 * time.Millisecond, MaxTick: 10 * time.Millisecond, MaxAhead: 20 * time.Millisecond,
	}}
}

func open(t *testing.T, client redis.UniversalClient, opts workeridredis.Options) workerid.Allocator {
	t.Helper()
	a, err := workeridredis.New(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { within(t, 2*time.Second, "Close", a.Close) })
	return a
}

// within calls f with a ctx of d and expects it to keep to that.
func within(t *testing.T, d time.Duration, what string, f func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	began := time.Now()
	err := f(ctx)
	if took := time.Since(began); took > d+100*time.Millisecond {
		t.Errorf("%s took %v, its ctx allowed %v", what, took, d)
	}
	return err
}

func acquire(t *testing.T, a workerid.Allocator) *workerid.Lease {
	t.Helper()
	l, err := a.Acquire(t.Context(), workerid.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestNoServer has no server at the start, then one that freezes, then one that
// is gone at Close. Each call ends with its ctx; leaks are found by TestMain.
func TestNoServer(t *testing.T) {
	server := testenv.Redis(t)
	for _, deadlines := range []bool{true, false} {
		client := server.Client(t, func(o *redis.Options) { o.ContextTimeoutEnabled = deadlines; o.ReadTimeout = time.Second })
		opts := quick(2)
		opts.Fresh = true
		a := open(t, client, opts)
		try := func(ctx context.Context) error {
			_, err := a.Acquire(ctx, workerid.Request{Wait: true})
			return err
		}
		server.Kill()
		if err := within(t, 200*time.Millisecond, "Acquire without a server", try); err == nil {
			t.Error("Acquire without a server succeeds")
		}
		server.Restart(t)
		l := acquire(t, a)
		server.Freeze()
		if deadlines {
			if err := within(t, 200*time.Millisecond, "Acquire at a frozen server", try); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Acquire at a frozen server: %v", err)
			}
		}
		time.Sleep(500 * time.Millisecond)
		if w := l.Window(); w.Mark > l.Now() || l.Context().Err() != nil {
			t.Errorf("without renewals the window is still open until %d, or the lease ended: %v", w.Mark, l.Context().Err())
		}
		if err := within(t, 200*time.Millisecond, "Close at a frozen server", a.Close); err == nil {
			t.Error("Close at a frozen server reports no error")
		}
		server.Thaw()
	}
}

// TestFailover goes on after a master has died: the replica has what was
// acknowledged, and holders keep their numbers.
func TestFailover(t *testing.T) {
	set := testenv.Sentinel(t)
	a := open(t, set.Client(t), workeridredis.Options{Options: workerid.Options{Count: 2}})
	l := acquire(t, a)
	old := set.Master(t)
	old.Kill()
	set.AwaitOther(t, old)
	before := l.Window()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	select {
	case <-before.Moved:
	case <-ctx.Done():
		t.Fatalf("not renewed for 15s after a failover: %+v", l.Status())
	}
	if err := context.Cause(l.Context()); err != nil {
		t.Fatalf("lease ended by a failover: %v", err)
	}
	next, err := a.Acquire(ctx, workerid.Request{})
	if err != nil {
		t.Fatal(err)
	}
	if next.ID() == l.ID() {
		t.Errorf("number %d has two holders", l.ID())
	}
}

// TestLostAcquireReply breaks the connection in place of the reply: the number
// that the server gave is not lost.
func TestLostAcquireReply(t *testing.T) {
	server := testenv.Redis(t)
	proxy := testenv.NewProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	defer client.Close()
	a := open(t, client, quick(8))
	for i := range 8 {
		if err := client.Ping(t.Context()).Err(); err != nil { // a connection is ready
			t.Fatal(err)
		}
		proxy.CutAfterReplies(i % 2)
		acquire(t, a)
		proxy.Pass()
		list, err := a.Holders(t.Context())
		if err != nil || len(list) != i+1 {
			t.Fatalf("%d numbers are held after %d leases, %v", len(list), i+1, err)
		}
	}
}

// TestScriptFlush empties the script cache all the time; nobody notices.
func TestScriptFlush(t *testing.T) {
	testenv.EachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		a := open(t, client, quick(8))
		for range 100 {
			if err := client.ScriptFlush(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			if err := acquire(t, a).Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestEvictedHash loses the records alone: whoever asks first begins anew, and is
// not led astray by the index.
func TestEvictedHash(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, client redis.UniversalClient) {
		for _, released := range []bool{true, false} {
			pool := workeridredis.Options{Pool: fmt.Sprint(released), Options: quick(3).Options}
			a := open(t, client, pool)
			for range 3 {
				if l := acquire(t, a); released {
					if err := l.Release(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := client.Del(t.Context(), "cohort:workerid:{"+pool.Pool+"}:numbers").Err(); err != nil {
				t.Fatal(err)
			}
			acquire(t, open(t, client, pool))
			if list, err := a.Holders(t.Context()); err != nil || len(list) == 0 {
				t.Errorf("holders after the loss: %v, %v", list, err)
			}
		}
	})
}

// TestEvictedIndex loses the index alone, as a server short of memory might.
func TestEvictedIndex(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, client redis.UniversalClient) {
		a := open(t, client, quick(3))
		kept, given := acquire(t, a), acquire(t, a)
		last := acquire(t, a)
		for _, l := range []*workerid.Lease{given, last} {
			if err := l.Release(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := client.Del(t.Context(), "cohort:workerid:{default}:expiry").Err(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if l := acquire(t, a); l.ID() == kept.ID() || l.Generation() != 2 {
				t.Errorf("number %d, generation %d; %d is held", l.ID(), l.Generation(), kept.ID())
			}
		}
		if _, err := a.Acquire(t.Context(), workerid.Request{}); !errors.Is(err, workerid.ErrExhausted) {
			t.Errorf("Acquire from a full range: %v", err)
		}
	})
}
