package lockredis_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// adders add to a number in a fence-checked store of their own until they are
// stopped, whatever happens to the server of the locks.
type adders struct {
	gate    *lockredis.FenceGate
	stop    context.CancelFunc
	all     sync.WaitGroup
	written sync.Map // number → true
	count   atomic.Int64
	highest atomic.Uint64 // fence
}

func startAdders(t *testing.T, lockers ...lock.Locker) *adders {
	t.Helper()
	gate, err := lockredis.NewFenceGate(testenv.Redis(t).Client(t), "")
	if err != nil {
		t.Fatal(err)
	}
	a := &adders{gate: gate}
	ctx, stop := context.WithCancel(t.Context())
	a.stop = stop
	for _, l := range lockers {
		for range 3 {
			a.all.Go(func() {
				for ctx.Err() == nil {
					a.turn(ctx, t, l)
				}
			})
		}
	}
	return a
}

// turn takes the lock once, if the server lets it.
func (a *adders) turn(ctx context.Context, t *testing.T, l lock.Locker) {
	wait, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	before := a.highest.Load()
	err := lock.Do(wait, l, "number", lock.Request{TTL: 500 * time.Millisecond}, func(ctx context.Context, lease *lock.Lease) error {
		if lease.Fence() <= before {
			t.Errorf("fence %d, and %d was granted before it was asked for", lease.Fence(), before)
		}
		for high := a.highest.Load(); lease.Fence() > high && !a.highest.CompareAndSwap(high, lease.Fence()); {
			high = a.highest.Load()
		}
		return a.add(context.WithoutCancel(ctx), t, lease)
	})
	if errors.Is(err, lock.ErrClosed) {
		t.Errorf("adder: %v", err)
	}
}

// add pays no attention to the end of the lease: the gate must be enough.
func (a *adders) add(ctx context.Context, t *testing.T, lease *lock.Lease) error {
	if err := a.gate.Enter(ctx, "number", lease.Fence()); err != nil {
		return err
	}
	old, err := a.gate.Get(ctx, "number")
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(old))
	time.Sleep(2 * time.Millisecond)
	if err := a.gate.Set(ctx, "number", lease.Fence(), []byte(strconv.Itoa(n+1))); err != nil {
		return err
	}
	if _, twice := a.written.LoadOrStore(n+1, true); twice {
		t.Errorf("%d was written twice", n+1)
	}
	a.count.Add(1)
	return nil
}

// more waits until n more numbers have been written.
func (a *adders) more(t *testing.T, n int64) {
	t.Helper()
	enough := a.count.Load() + n
	eventually(t, fmt.Sprint(n, " more numbers"), func() bool { return a.count.Load() >= enough })
}

// check stops the adders and compares what they wrote with what is there.
func (a *adders) check(t *testing.T) {
	t.Helper()
	a.stop()
	a.all.Wait()
	last, err := a.gate.Get(t.Context(), "number")
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := strconv.Atoi(string(last)); int64(n) != a.count.Load() {
		t.Errorf("%d writes made %d", a.count.Load(), n)
	}
	t.Logf("%d writes", a.count.Load())
}

// endOf tells when lease ends.
func endOf(lease *lock.Lease) <-chan time.Time {
	ended := make(chan time.Time, 1)
	context.AfterFunc(lease.Context(), func() { ended <- time.Now() })
	return ended
}

// overtaken checks that held, whose grant the server has lost, ended in time and
// that the store refuses its writes after those of a later holder.
func (a *adders) overtaken(t *testing.T, held *lock.Lease, ended <-chan time.Time, next *lock.Lease) {
	t.Helper()
	select {
	case at := <-ended:
		if late := at.Sub(held.Deadline()); late > time.Second {
			t.Errorf("the lost lease ended %v after its deadline", late)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the lost lease did not end")
	}
	if cause := context.Cause(held.Context()); !errors.Is(cause, lock.ErrLost) {
		t.Errorf("the lost lease ended with %v", cause)
	}
	if next.Fence() <= held.Fence() {
		t.Errorf("fence %d after %d", next.Fence(), held.Fence())
	}
	if err := a.gate.Set(t.Context(), "held", next.Fence(), nil); err != nil {
		t.Errorf("write of the next holder: %v", err)
	}
	if err := a.gate.Set(t.Context(), "held", held.Fence(), nil); !errors.Is(err, lock.ErrStale) {
		t.Errorf("write of the lost holder: %v", err)
	}
}

// Sentinels make a replica the master that has never seen a grant: its holder
// hears of it, later fences are larger, and the store accepts no stale write.
func TestSentinelFailover(t *testing.T) {
	set := testenv.Sentinel(t)
	a, b := open(t, set.Client(t)), open(t, set.Client(t))
	work := startAdders(t, a, b)
	work.more(t, 50)
	var held *lock.Lease
	var ended <-chan time.Time
	set.FailoverLosing(t, func() {
		held = acquire(t, a, "held", lock.Request{TTL: 2 * time.Second})
		ended = endOf(held)
	})
	next := acquire(t, b, "held", lock.Request{TTL: 2 * time.Second})
	work.overtaken(t, held, ended, next)
	release(t, next)
	work.more(t, 50)
	work.check(t)
}

// The master of a lock's slot dies while the lock is held. A grant that its
// replica has lives on or is lost in time; locks work again, with larger fences.
func TestClusterMasterKilled(t *testing.T) {
	cluster := testenv.RedisCluster(t)
	a, b := open(t, clusterClient(t, cluster)), open(t, clusterClient(t, cluster))
	work := startAdders(t, a, b)
	work.more(t, 50)
	key, err := lockredis.Key("", "number")
	if err != nil {
		t.Fatal(err)
	}
	held := acquire(t, a, "{number}", lock.Request{TTL: time.Second})
	ended := endOf(held)
	cluster.Master(t, key).Kill()
	cluster.Await(t)
	work.more(t, 50)
	select {
	case at := <-ended:
		if late := at.Sub(held.Deadline()); late > time.Second || !errors.Is(context.Cause(held.Context()), lock.ErrLost) {
			t.Errorf("ended %v after its deadline with %v", late, context.Cause(held.Context()))
		}
	default:
		release(t, held)
	}
	next := acquire(t, b, "{number}", lock.Request{})
	if next.Fence() <= held.Fence() {
		t.Errorf("fence %d after %d", next.Fence(), held.Fence())
	}
	release(t, next)
	work.check(t)
}

// clusterClient is a client as Cohort opens it: it looks for the new master soon.
func clusterClient(t *testing.T, cluster *testenv.Cluster) redis.UniversalClient {
	t.Helper()
	conn, err := redisconn.NewPools().Open(t.Context(), cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.Client()
}
