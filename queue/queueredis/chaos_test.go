package queueredis_test

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

//go:embed invariant.lua
var invariantLua string

// allKeys are the keys of a queue in the order of lua/common.lua.
func allKeys(name string) []string {
	parts := []string{
		"m", "r0", "r1", "r2", "r3", "z", "l", "d", "x", "f", "e", "v", "c", "k", "u", "g", "o", "w", "s", "t",
	}
	for i, part := range parts {
		parts[i] = "cohort:queue:{" + name + "}:" + part
	}
	return parts
}

// watch runs the invariant script a hundred times a second until ctx ends.
func watch(ctx context.Context, t *testing.T, client redis.UniversalClient, name string) (runs int) {
	check := redis.NewScript(invariantLua)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		wrong, err := check.Run(ctx, client, allKeys(name)).StringSlice()
		switch {
		case ctx.Err() != nil:
			return runs
		case err != nil:
			t.Errorf("invariant script: %v", err)
			return runs
		case len(wrong) > 0:
			t.Errorf("after %d runs: %q", runs, wrong)
			return runs
		}
		runs++
		select {
		case <-ctx.Done():
			return runs
		case <-tick.C:
		}
	}
}

// TestChaos lets producers, consumers that end at random, and operators work on
// one queue, while the invariant holds at every moment and the accounts add up.
func TestChaos(t *testing.T) {
	testenv.EachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		seed := time.Now().UnixNano()
		t.Logf("seed %d", seed)
		length := 3 * time.Second
		if testenv.Long() {
			length = time.Minute
		}
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		c := &chaos{client: client, keepExpired: seed%2 == 0}
		q := c.open(t)
		defer q.Close(context.Background())
		var wg sync.WaitGroup
		start := func(i uint64, f func(ctx context.Context, t *testing.T, r *rand.Rand)) {
			r := rand.New(rand.NewPCG(uint64(seed), i))
			wg.Go(func() {
				for ctx.Err() == nil {
					f(ctx, t, r)
				}
			})
		}
		for i := range uint64(3) {
			start(i, c.produce)
			start(10+i, c.work)
		}
		start(20, c.operate)
		start(21, c.receive)
		checked := watch(ctx, t, client, "chaos")
		wg.Wait()
		c.settleAccounts(t, q)
		t.Logf("%d messages, %d checks", c.stored.Load(), checked)
	})
}

type chaos struct {
	client redis.UniversalClient
	stored atomic.Int64

	keepExpired bool // among the dead

	mu  sync.Mutex
	ids []queue.ID
}

func (c *chaos) open(t *testing.T) queue.Queue {
	q, err := queueredis.New(c.client, "chaos", queueredis.Options{DeadLimit: 50, ExpiredToDead: c.keepExpired})
	if err != nil {
		t.Error(err)
	}
	return q
}

func (c *chaos) produce(ctx context.Context, t *testing.T, r *rand.Rand) {
	q := c.open(t)
	defer q.Close(context.Background())
	for range 20 {
		batch := make([]queue.Message, 1+r.IntN(20))
		for i := range batch {
			batch[i] = randomMessage(r)
		}
		results, err := q.EnqueueMany(context.WithoutCancel(ctx), batch)
		if err != nil && !errors.Is(err, queue.ErrDuplicate) {
			t.Errorf("enqueue: %v", err)
		}
		for _, res := range results {
			if res.Err == nil {
				c.stored.Add(1)
				c.mu.Lock()
				c.ids = append(c.ids, res.ID)
				c.mu.Unlock()
			}
		}
		time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
	}
}

func randomMessage(r *rand.Rand) queue.Message {
	m := queue.Message{Payload: make([]byte, r.IntN(200)), MaxAttempts: 1 + r.IntN(4), Priority: queue.Priority(r.IntN(4) - 1)}
	if r.IntN(3) == 0 {
		m.Key = fmt.Sprint("k", r.IntN(5))
	}
	if r.IntN(5) == 0 {
		m.Unique = queue.Unique{Key: fmt.Sprint("u", r.IntN(20)), Until: queue.Until(r.IntN(2))}
	}
	if r.IntN(5) == 0 {
		m.ID = queue.IDOf(fmt.Sprint("id", r.IntN(500)))
	}
	if r.IntN(5) == 0 {
		m.TTL = time.Duration(1+r.IntN(300)) * time.Millisecond
	}
	if r.IntN(5) == 0 {
		m.Delay = time.Duration(1+r.IntN(200)) * time.Millisecond
	}
	if r.IntN(5) == 0 {
		m.Retain = time.Duration(1+r.IntN(300)) * time.Millisecond
	}
	return m
}

var errChaos = errors.New("chaos")

func randomOutcome(r *rand.Rand) error {
	return []error{
		nil, nil, nil, nil, nil, errChaos, queue.RetryIn(0, errChaos), queue.RetryIn(30*time.Millisecond, errChaos),
		queue.Snooze(20 * time.Millisecond), queue.Discard(errChaos), queue.Dead(errChaos),
	}[r.IntN(11)]
}

// work consumes for a while and is then closed, with little patience.
func (c *chaos) work(ctx context.Context, t *testing.T, r *rand.Rand) {
	q := c.open(t)
	patience := time.Duration(100+r.IntN(300)) * time.Millisecond
	var mu sync.Mutex // the handlers share r from here on
	pick := func() (time.Duration, error) {
		mu.Lock()
		defer mu.Unlock()
		return time.Duration(r.IntN(3)) * time.Millisecond, randomOutcome(r)
	}
	_, err := q.Consume(ctx, func(context.Context, *queue.Delivery) error {
		took, outcome := pick()
		time.Sleep(took)
		return outcome
	}, queue.ConsumeOptions{
		Concurrency: 8, Lease: 300 * time.Millisecond, OnError: func(error) {},
		Backoff: func(int, error) time.Duration { return 20 * time.Millisecond },
	})
	if err != nil && ctx.Err() == nil {
		t.Errorf("consume: %v", err)
	}
	time.Sleep(patience)
	stop, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = q.Close(stop) // a consumer that is late loses its leases, which is part of the chaos
}

// receive leases without a loop, and forgets some of what it has.
func (c *chaos) receive(ctx context.Context, t *testing.T, r *rand.Rand) {
	q := c.open(t)
	defer q.Close(context.Background())
	for range 20 {
		list, err := q.Receive(ctx, 1+r.IntN(10), 100*time.Millisecond)
		if err != nil {
			return // the end of ctx, or a pause
		}
		for _, d := range list {
			switch r.IntN(4) {
			case 0: // forgotten
			case 1:
				_ = d.Release(ctx)
			case 2:
				_ = d.Extend(ctx, 50*time.Millisecond)
			default:
				_ = d.Settle(ctx, randomOutcome(r))
				_ = d.Settle(ctx, nil) // stale
			}
		}
	}
}

// operate cancels, redrives, purges and pauses.
func (c *chaos) operate(ctx context.Context, t *testing.T, r *rand.Rand) {
	q := c.open(t)
	defer q.Close(context.Background())
	control, _ := q.(queue.Controller)
	for range 20 {
		var err error
		switch r.IntN(12) {
		case 0:
			_, err = control.Redrive(ctx, queue.RedriveOptions{Max: 5})
		case 1:
			err = control.Pause(ctx, time.Now().Add(10*time.Millisecond))
		case 2:
			_, err = control.Purge(ctx, queue.StateFinished)
		case 3:
			_, err = control.Purge(ctx, queue.StateDelayed)
		default:
			c.mu.Lock()
			var id queue.ID
			if n := len(c.ids); n > 0 {
				id = c.ids[max(0, n-1-r.IntN(100))]
			}
			c.mu.Unlock()
			err = control.Cancel(ctx, id)
		}
		expected := errors.Is(err, queue.ErrNotFound) || errors.Is(err, queue.ErrDuplicate)
		if err != nil && !expected && ctx.Err() == nil {
			t.Errorf("operate: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// settleAccounts compares what came in with what the queue says became of it.
func (c *chaos) settleAccounts(t *testing.T, q queue.Queue) {
	inspector, _ := q.(queue.Inspector)
	st, err := inspector.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	out := st.Done + st.Discarded + st.Expired + st.Purged + st.Cancelled + st.Trimmed
	if in := c.stored.Load(); in != out+int64(st.Left()) {
		t.Errorf("%d came in, %d went out, %d are left: %+v", in, out, st.Left(), st)
	}
}
