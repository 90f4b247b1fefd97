package lockredis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// Fences rise although all data is lost between the holders.
func TestFenceAfterFlush(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	nodes := []lock.Locker{
		open(t, client), open(t, server.Client(t)), open(t, client, lockredis.Options{Engine: lockredis.Simple}),
	}
	last := uint64(0)
	for i := range 100 {
		lease := acquire(t, nodes[i%len(nodes)], "one", lock.Request{})
		if lease.Fence() <= last {
			t.Fatalf("fence %d after %d", lease.Fence(), last)
		}
		last = lease.Fence()
		if i%2 == 0 {
			release(t, lease)
		}
		if err := client.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := lease.Release(t.Context()); !isErr(err, lock.ErrLost) && !isErr(err, lock.ErrReleased) {
			t.Errorf("release of what was flushed: %v", err)
		}
	}
}

// Fences rise over a restart from data that is older than the last grants.
func TestFenceAfterRestart(t *testing.T) {
	server := testenv.Redis(t)
	l := open(t, server.Client(t))
	acquireFence := func() uint64 {
		lease := acquire(t, l, "one", lock.Request{})
		release(t, lease)
		return lease.Fence()
	}
	acquireFence()
	old := server.Snapshot(t)
	last := acquireFence()
	for range 3 {
		server.RestartFrom(t, old)
		next := acquireFence()
		if next <= last {
			t.Fatalf("fence %d after %d", next, last)
		}
		last = next
	}
}

// Fences rise over a failover to a replica that never saw the last grants.
func TestFenceAfterFailover(t *testing.T) {
	primary, replica := testenv.Redis(t, "--repl-diskless-sync-delay", "0"), testenv.Redis(t)
	proxy := testenv.NewProxy(t, primary.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	l := open(t, client)
	follower := replica.Client(t)
	before := acquire(t, l, "one", lock.Request{})
	release(t, before)
	host, port := hostPort(t, primary.Addr())
	if err := follower.ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica has the data", func() bool {
		n, err := follower.DBSize(t.Context()).Result()
		return err == nil && n > 0
	})
	if err := follower.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	lost := acquire(t, l, "one", lock.Request{TTL: time.Minute})
	primary.Kill()
	proxy.Target(replica.Addr())
	proxy.Reset()
	other := open(t, replica.Client(t))
	next := acquire(t, other, "one", lock.Request{}) // the failover lost the grant
	if next.Fence() <= lost.Fence() {
		t.Errorf("fence %d after %d", next.Fence(), lost.Fence())
	}
	release(t, next)
}

// A grant that too few replicas acknowledge is given back.
func TestReplicas(t *testing.T) {
	server, replica := testenv.Redis(t, "--repl-diskless-sync-delay", "0"), testenv.Redis(t)
	l := open(t, server.Client(t))
	_, err := l.Acquire(t.Context(), "one", lock.Request{Replicas: 1, TTL: 500 * time.Millisecond})
	if !isErr(err, lock.ErrNotReplicated) {
		t.Errorf("without a replica: %v", err)
	}
	host, port := hostPort(t, server.Addr())
	if err := replica.Client(t).ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a grant is acknowledged", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		lease, err := l.Acquire(ctx, "one", lock.Request{Replicas: 1})
		if err != nil {
			return false
		}
		release(t, lease)
		return true
	})
	// A grant that is pushed, and a turn inside the process, are acknowledged too.
	a, b := acquire(t, l, "one", lock.Request{}), open(t, server.Client(t))
	done := make(chan error, 2)
	for _, node := range []lock.Locker{b, l} {
		go func() {
			lease, err := node.Acquire(t.Context(), "one", lock.Request{Replicas: 1})
			if err == nil {
				err = lease.Release(context.Background())
			}
			done <- err
		}()
	}
	waiting(t, l, 1)
	release(t, a)
	for range 2 {
		if err := <-done; err != nil {
			t.Errorf("acquire: %v", err)
		}
	}
}

// A client that asks again after a lost answer has one effect and one fence, and
// there are never two holders.
func TestSwallowedReplies(t *testing.T) {
	server := testenv.Redis(t)
	direct := open(t, server.Client(t))
	for k := range 20 {
		t.Run(fmt.Sprint(k+1), func(t *testing.T) {
			proxy := testenv.NewProxy(t, server.Addr())
			client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true, MaxRetries: -1 + k%2*4})
			t.Cleanup(func() { _ = client.Close() })
			l := open(t, client)
			proxy.CutAfterReplies(k)
			last := uint64(0)
			for i := range 6 {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				lease, err := l.Acquire(ctx, "one", lock.Request{TTL: 2 * time.Second})
				cancel()
				if err != nil {
					t.Fatalf("turn %d: %v", i, err)
				}
				if lease.Fence() <= last {
					t.Errorf("fence %d after %d", lease.Fence(), last)
				}
				last = lease.Fence()
				info, err := direct.Inspect(t.Context(), "one")
				if err != nil || info.Owner != lease.Token() || info.Fence > lease.Fence() || info.Waiters != 0 {
					t.Errorf("turn %d: %+v, %v; the lease has token %s and fence %d", i, info, err, lease.Token(), lease.Fence())
				}
				if err := lease.Release(t.Context()); err != nil {
					t.Errorf("turn %d: release: %v", i, err)
				}
				if _, err := direct.TryAcquire(t.Context(), "two", lock.Request{}); i == 0 && k == 0 && err != nil {
					t.Errorf("another name: %v", err)
				}
			}
			began := time.Now()
			release(t, acquire(t, direct, "one", lock.Request{}))
			if took := time.Since(began); took > 2500*time.Millisecond {
				t.Errorf("an orphan held the lock for %v", took)
			}
		})
	}
}
