package queueredis_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// ledger compares what was stored with what was handled.
type ledger struct {
	mu      sync.Mutex
	stored  map[queue.ID]bool
	handled map[queue.ID]int
}

func (l *ledger) missing() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.stored {
		if l.handled[id] == 0 {
			n++
		}
	}
	return n
}

// TestRestart restarts a Redis that writes everything to disk, again and again,
// and empties its script cache, while producers and a consumer go on.
func TestRestart(t *testing.T) {
	server := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	client := server.Client(t)
	underLoad(t, client, queueredis.Options{}, func(ctx context.Context) {
		for ctx.Err() == nil {
			time.Sleep(1500 * time.Millisecond)
			server.Restart(t)
		}
	})
}

// TestFailover makes a replica the master, by command and by the death of the
// master, while every message waits for one replica.
func TestFailover(t *testing.T) {
	set := testenv.Sentinel(t)
	client := set.Client(t)
	underLoad(t, client, queueredis.Options{Replicas: 1}, func(ctx context.Context) {
		for died := false; ctx.Err() == nil; died = !died {
			time.Sleep(time.Second)
			if !died {
				set.Failover(t)
				continue
			}
			old := set.Master(t)
			old.Kill()
			set.AwaitOther(t, old)
			old.Restart(t)
			set.Await(t)
		}
	})
}

// underLoad checks that whatever was stored is handled, that errors have a type
// and that the consumer goes on by itself, while breaks does its worst and the
// script cache is emptied ten times a second.
func underLoad(t *testing.T, client redis.UniversalClient, opts queueredis.Options, breaks func(ctx context.Context)) {
	length := 4 * time.Second
	if testenv.Long() {
		length = 30 * time.Second
	}
	q, err := queueredis.New(client, "faults", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	l := &ledger{stored: map[queue.ID]bool{}, handled: map[queue.ID]int{}}
	c, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.handled[d.ID]++
		return nil
	}, queue.ConsumeOptions{Lease: time.Second, OnError: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { l.produce(ctx, t, q) })
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = client.ScriptFlush(ctx) // fails while the server is away
			time.Sleep(100 * time.Millisecond)
		}
	})
	breaks(ctx)
	wg.Wait()
	for end := time.Now().Add(15 * time.Second); l.missing() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d messages were never handled", l.missing(), len(l.stored))
		}
	}
	t.Logf("%d messages, none lost", len(l.stored))
	if err := c.Close(t.Context()); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func (l *ledger) produce(ctx context.Context, t *testing.T, q queue.Queue) {
	for ctx.Err() == nil {
		id, err := q.Enqueue(context.WithoutCancel(ctx), queue.Message{Payload: []byte("x")})
		var op *queue.OpError
		switch {
		case err == nil:
			l.mu.Lock()
			l.stored[id] = true
			l.mu.Unlock()
		case !errors.As(err, &op):
			t.Errorf("an error without type: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestFullRedis takes away the memory under a running consumer: leases stay alive,
// finished messages go, and new ones are refused with a typed error.
func TestFullRedis(t *testing.T) {
	server := testenv.Redis(t)
	client := server.Client(t)
	q, err := queueredis.New(client, "full", queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	started, finish := make(chan struct{}), make(chan struct{})
	runs := 0
	_, err = q.Consume(t.Context(), func(ctx context.Context, _ *queue.Delivery) error {
		runs++
		close(started)
		select {
		case <-finish:
			return nil
		case <-ctx.Done():
			t.Errorf("the handler was ended: %v", context.Cause(ctx))
			return context.Cause(ctx)
		}
	}, queue.ConsumeOptions{Concurrency: 1, Lease: 400 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := client.ConfigSet(t.Context(), "maxmemory", "100kb").Err(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(1200 * time.Millisecond) // three leases
	if _, err := q.Enqueue(t.Context(), queue.Message{Payload: make([]byte, 1000)}); !errors.Is(err, queue.ErrQueueFull) {
		t.Errorf("Enqueue into a full Redis: %v", err)
	}
	close(finish)
	inspector, _ := q.(queue.Inspector)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		st, err := inspector.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if st.Done == 1 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the finished message is still there: %+v", st)
		}
	}
	if runs != 1 {
		t.Errorf("it ran %d times", runs)
	}
}

// TestLostReplies swallows replies, so that the client repeats what was done.
func TestLostReplies(t *testing.T) {
	server := testenv.Redis(t)
	proxy := testenv.NewProxy(t, server.Addr())
	direct := server.Client(t)
	q, err := queueredis.New(direct, "lost", queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	if _, err := q.EnqueueMany(t.Context(), make([]queue.Message, 300)); err != nil {
		t.Fatal(err)
	}
	shaky, err := queueredis.New(proxied(t, proxy), "lost", queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer shaky.Close(context.Background())
	l := &ledger{stored: map[queue.ID]bool{}, handled: map[queue.ID]int{}}
	_, err = shaky.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.handled[d.ID]++
		return nil
	}, queue.ConsumeOptions{Concurrency: 4, Prefetch: 10, Lease: 5 * time.Second, OnError: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	handled := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.handled)
	}
	for end := time.Now().Add(20 * time.Second); handled() < 300; time.Sleep(20 * time.Millisecond) {
		proxy.CutAfterReplies(3)
		if time.Now().After(end) {
			t.Fatalf("%d of 300 handled", handled())
		}
	}
	for id, n := range l.handled {
		if n > 1 {
			t.Errorf("%v ran %d times", id, n)
		}
	}
}

// proxied is a client behind the proxy, which repeats commands by itself.
func proxied(t *testing.T, proxy *testenv.Proxy) redis.UniversalClient {
	c := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true, MaxRetries: 5})
	t.Cleanup(func() { _ = c.Close() })
	return c
}
