package lockredis_test

import (
	"context"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
)

// remote is a process that reaches the server over a network of its own.
type remote struct {
	lock.Locker
	server *testenv.Server
	proxy  *testenv.Proxy
}

func openRemote(t *testing.T, server *testenv.Server) *remote {
	t.Helper()
	proxy := testenv.NewProxy(t, server.Addr())
	client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return &remote{open(t, client), server, proxy}
}

// subscribed returns the addresses of the subscribed connections of all processes.
func subscribed(t *testing.T, server *testenv.Server) []string {
	t.Helper()
	list, err := server.Client(t).Do(t.Context(), "CLIENT", "LIST", "TYPE", "pubsub").Text()
	if err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for _, m := range regexp.MustCompile(`(?m) addr=(\S+) .* sub=1 `).FindAllStringSubmatch(list, -1) {
		addrs = append(addrs, m[1])
	}
	return addrs
}

// deafen lets nothing pass any more on the subscribed connection of r, which it
// waits for.
func (r *remote) deafen(t *testing.T) {
	t.Helper()
	eventually(t, "a subscription to strand", func() bool {
		return slices.ContainsFunc(subscribed(t, r.server), r.proxy.Strand)
	})
}

// await begins to wait for "one" and returns how to wait for the lease.
func (r *remote) await(t *testing.T) (lease func() (*lock.Lease, time.Time)) {
	t.Helper()
	type got struct {
		lease *lock.Lease
		at    time.Time
		err   error
	}
	done := make(chan got, 1)
	go func() { // ends with the wait, which ends with the test
		lease, err := r.Acquire(t.Context(), "one", lock.Request{TTL: time.Minute})
		done <- got{lease, time.Now(), err}
	}()
	return func() (*lock.Lease, time.Time) {
		t.Helper()
		select {
		case g := <-done:
			if g.err != nil {
				t.Fatal(g.err)
			}
			return g.lease, g.at
		case <-time.After(30 * time.Second):
			t.Fatal("no lease")
			return nil, time.Time{}
		}
	}
}

// A process subscribes at its first contention, once for all names.
func TestOneSubscription(t *testing.T) {
	server := testenv.Redis(t)
	holder, r := open(t, server.Client(t)), openRemote(t, server)
	release(t, acquire(t, r, "one", lock.Request{}))
	if addrs := subscribed(t, server); len(addrs) > 0 {
		t.Errorf("subscribed without contention: %v", addrs)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	names := []string{"one", "two", "three"}
	for _, name := range names {
		acquire(t, holder, name, lock.Request{})
		go func() { _, _ = r.Acquire(ctx, name, lock.Request{}) }() // ends with ctx
	}
	for _, name := range names {
		eventually(t, "a waiter for "+name, func() bool {
			info, err := holder.Inspect(t.Context(), name)
			return err == nil && info.Waiters == 1
		})
	}
	if addrs := subscribed(t, server); len(addrs) != 1 {
		t.Errorf("subscribed by %v", addrs)
	}
}

// deafness is the longest that a subscription which dies without a sign may cost
// in the first seconds of a wait.
const deafness = time.Second

// A waiter whose subscription dies without a sign, before it waits or meanwhile,
// has the lock soon after its release, although no message comes any more.
func TestTimingDeafWaiter(t *testing.T) {
	testenv.Timing(t)
	for name, waited := range map[string]time.Duration{"before": 0, "meanwhile": 1200 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			server := testenv.Redis(t)
			holder, r := open(t, server.Client(t)), openRemote(t, server)
			turn := func(strand bool) (lost time.Duration) {
				lease := acquire(t, holder, "one", lock.Request{TTL: time.Minute})
				if strand && waited == 0 {
					r.deafen(t)
				}
				next := r.await(t)
				waiting(t, holder, 1)
				time.Sleep(waited)
				if strand && waited > 0 {
					r.deafen(t)
				}
				began := time.Now()
				release(t, lease)
				got, at := next()
				release(t, got)
				return at.Sub(began)
			}
			turn(false)
			lost, again := turn(true), turn(false)
			t.Logf("the hand-over took %v, the next one %v", lost, again)
			if lost > 2*deafness {
				t.Errorf("the hand-over to the deaf took %v, want %v", lost, deafness)
			}
			if again > deafness/2 {
				t.Errorf("the hand-over after that took %v", again)
			}
		})
	}
}

// A holder that cannot hear that others wait, and whose own process has more
// waiters, passes the lock on soon all the same.
func TestTimingDeafHolder(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	other, r := open(t, server.Client(t)), openRemote(t, server)
	lease := acquire(t, r, "one", lock.Request{TTL: time.Minute})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 4 {
		go func() { // ends with ctx
			for ctx.Err() == nil {
				mine, err := r.Acquire(ctx, "one", lock.Request{TTL: time.Minute})
				if err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
				_ = mine.Release(ctx)
			}
		}()
	}
	r.deafen(t) // subscribed because of the waiters of its own
	release(t, lease)
	began := time.Now()
	release(t, acquire(t, other, "one", lock.Request{TTL: time.Minute}))
	took := time.Since(began)
	t.Logf("passed on after %v", took)
	if took > 2*deafness {
		t.Errorf("passed on after %v, want %v", took, deafness)
	}
}

// A subscription whose answers take long is not taken for a dead one.
func TestSlowSubscriptionIsKept(t *testing.T) {
	server := testenv.Redis(t)
	holder, r := open(t, server.Client(t)), openRemote(t, server)
	r.proxy.Delay(250*time.Millisecond, 50*time.Millisecond) // each way
	lease := acquire(t, holder, "one", lock.Request{TTL: time.Minute})
	next := r.await(t)
	waiting(t, holder, 1)
	before := r.proxy.Accepted()
	time.Sleep(5 * time.Second) // some proofs
	if made := r.proxy.Accepted() - before; made > 1 {
		t.Errorf("%d connections were made to hear better", made)
	}
	release(t, lease)
	got, _ := next()
	r.proxy.Pass()
	release(t, got)
}

// A dead subscription that cannot be replaced at once is replaced later, and
// nothing of the attempts is left.
func TestDeafUntilTheNetworkIsBack(t *testing.T) {
	server := testenv.Redis(t)
	holder, r := open(t, server.Client(t)), openRemote(t, server)
	lease := acquire(t, holder, "one", lock.Request{TTL: time.Minute})
	next := r.await(t)
	waiting(t, holder, 1)
	r.deafen(t)
	r.proxy.Hole(testenv.Both)
	time.Sleep(4 * time.Second) // an attempt that fails
	r.proxy.Pass()
	release(t, lease)
	got, _ := next()
	eventually(t, "a new subscription alone", func() bool {
		return len(subscribed(t, server)) == 2 // and the stranded one, of which the server knows nothing
	})
	release(t, got)
}
