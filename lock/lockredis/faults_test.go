package lockredis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

func TestMain(m *testing.M) {
	testenv.Main(m, map[string]func([]string){"adder": adder, "waiter": waiter})
}

// open returns a Locker that is closed at the end of t.
func open(t testing.TB, client redis.UniversalClient, o ...lockredis.Options) lock.Locker {
	t.Helper()
	l, err := lockredis.New(client, append(o, lockredis.Options{})[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := l.Close(ctx); err != nil {
			t.Logf("close: %v", err)
		}
	})
	return l
}

// acquire takes name or fails the test.
func acquire(t testing.TB, l lock.Locker, name string, o lock.Request) *lock.Lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	lease, err := l.Acquire(ctx, name, o)
	if err != nil {
		t.Fatalf("acquire: %v", err)
	}
	return lease
}

func release(t testing.TB, lease *lock.Lease) {
	t.Helper()
	if err := lease.Release(t.Context()); err != nil {
		t.Errorf("release: %v", err)
	}
}

// child opens what a child process needs; args are the address of the lock
// server and that of the store.
func child(args []string) (lock.Locker, *lockredis.FenceGate) {
	client := redis.NewClient(&redis.Options{Addr: args[0], ContextTimeoutEnabled: true})
	l, err := lockredis.New(client, lockredis.Options{})
	fatal(err)
	gate, err := lockredis.NewFenceGate(redis.NewClient(&redis.Options{Addr: args[1]}), "")
	fatal(err)
	return l, gate
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// adder is a child process: eight goroutines add one to a number in the store,
// with reading and writing apart, for as long as they live.
func adder(args []string) {
	l, gate := child(args)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				err := lock.Do(context.Background(), l, "number", lock.Request{TTL: 300 * time.Millisecond},
					func(ctx context.Context, lease *lock.Lease) error { return add(ctx, gate, lease) })
				if errors.Is(err, lock.ErrStale) {
					fmt.Println("stale write refused")
				}
			}
		})
	}
	all.Wait()
}

// add is one section of adder. It pays no attention to ctx when it writes: the
// gate must be enough.
func add(ctx context.Context, gate *lockredis.FenceGate, lease *lock.Lease) error {
	ctx = context.WithoutCancel(ctx)
	if err := gate.Enter(ctx, "number", lease.Fence()); err != nil {
		return err
	}
	old, err := gate.Get(ctx, "number")
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(old))
	time.Sleep(rand.N(2 * time.Millisecond))
	if err := gate.Set(ctx, "number", lease.Fence(), []byte(strconv.Itoa(n+1))); err != nil {
		return err
	}
	fmt.Println("wrote", n+1)
	return nil
}

// Four processes with eight goroutines each are frozen past their ttl and killed
// while they add to a number: no write of an overtaken holder is accepted, so
// every number is written once, in order.
func TestFencedStore(t *testing.T) {
	locks, store := testenv.Redis(t), testenv.Redis(t)
	var mu sync.Mutex
	seen, stale := map[int]int{}, 0
	watch := func(c *testenv.ChildProcess) {
		for line := range c.Lines() {
			var n int
			mu.Lock()
			if _, err := fmt.Sscanf(line, "wrote %d", &n); err == nil {
				seen[n]++
			} else {
				stale++
			}
			mu.Unlock()
		}
	}
	var readers sync.WaitGroup
	start := func() *testenv.ChildProcess {
		c := testenv.Child(t, "adder", locks.Addr(), store.Addr())
		readers.Go(func() { watch(c) })
		return c
	}
	children := make([]*testenv.ChildProcess, 4)
	for i := range children {
		children[i] = start()
	}
	span := 6 * time.Second
	if testenv.Long() {
		span = time.Minute
	}
	for end := time.Now().Add(span); time.Now().Before(end); {
		time.Sleep(rand.N(100 * time.Millisecond))
		i := rand.N(len(children))
		if rand.N(4) == 0 {
			children[i].Kill()
			children[i] = start()
			continue
		}
		children[i].Freeze()
		time.Sleep(300*time.Millisecond + rand.N(200*time.Millisecond))
		children[i].Thaw()
	}
	for _, c := range children {
		c.Kill()
	}
	readers.Wait()
	gate, err := lockredis.NewFenceGate(store.Client(t), "")
	if err != nil {
		t.Fatal(err)
	}
	last, err := gate.Get(t.Context(), "number")
	if err != nil {
		t.Fatal(err)
	}
	total, _ := strconv.Atoi(string(last))
	for n, times := range seen {
		if times != 1 || n > total {
			t.Errorf("%d was written %d times; the last number is %d", n, times, total)
		}
	}
	if missing := total - len(seen); missing > 60 || total < 100 {
		t.Errorf("%d numbers, of which %d were not reported", total, missing)
	}
	t.Logf("%d numbers, %d stale writes refused", total, stale)
}

// waiter is a child process that waits for a lock.
func waiter(args []string) {
	l, _ := child(args)
	fmt.Println("waiting")
	lease, err := l.Acquire(context.Background(), "one", lock.Request{TTL: time.Minute})
	fatal(err)
	fmt.Println("fence", lease.Fence())
	time.Sleep(time.Hour)
}

// Processes that die while they wait are skipped.
func TestTimingKilledWaiters(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	a, b := open(t, server.Client(t)), open(t, server.Client(t))
	lease := acquire(t, a, "one", lock.Request{TTL: time.Minute})
	var dead []*testenv.ChildProcess
	for i := range 3 {
		c := testenv.Child(t, "waiter", server.Addr(), server.Addr())
		c.Line(t)
		waiting(t, a, i+1)
		dead = append(dead, c)
	}
	got := make(chan time.Time, 1)
	go func() { // ends with the lease
		lease, err := b.Acquire(t.Context(), "one", lock.Request{TTL: time.Minute})
		if err == nil {
			got <- time.Now()
			_ = lease.Release(t.Context())
		}
	}()
	waiting(t, a, 4)
	for _, c := range dead {
		c.Kill()
	}
	began := time.Now()
	release(t, lease)
	select {
	case at := <-got:
		t.Logf("handed over %v after the release", at.Sub(began))
		if at.Sub(began) > 100*time.Millisecond {
			t.Errorf("handed over after %v, want 50ms", at.Sub(began))
		}
	case <-time.After(10 * time.Second):
		t.Fatal("not handed over")
	}
}

// waiting waits until n processes are in the queue of "one".
func waiting(t testing.TB, l lock.Locker, n int) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		info, err := l.Inspect(t.Context(), "one")
		if err == nil && info.Waiters == n {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d wait, want %d (%v)", info.Waiters, n, err)
		}
	}
}
