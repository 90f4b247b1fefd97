package queueredis_test

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// slowest is the longest call that Redis ran since its log was emptied.
func slowest(t *testing.T, client *redis.Client) time.Duration {
	t.Helper()
	calls, err := client.SlowLogGet(t.Context(), 1000).Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(calls, func(a, b redis.SlowLog) int { return cmp.Compare(b.Duration, a.Duration) })
	for _, c := range calls[:min(len(calls), 5)] {
		t.Logf("%v: %.12s %d arguments", c.Duration, c.Args[0], len(c.Args))
	}
	if len(calls) == 0 {
		return 0
	}
	return calls[0].Duration
}

// watched is a server that logs every call of 5 ms or more.
func watched(t *testing.T) (*testenv.Server, *redis.Client) {
	t.Helper()
	server := testenv.Redis(t)
	client := server.Client(t)
	for key, value := range map[string]string{"slowlog-log-slower-than": "5000", "slowlog-max-len": "1000"} {
		if err := client.ConfigSet(t.Context(), key, value).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return server, client
}

func redisQueue(t *testing.T, client redis.UniversalClient, name string) queue.Queue {
	t.Helper()
	q, err := queueredis.New(client, name, queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close(context.Background()) })
	return q
}

// count is a handler that counts, and closes all once n messages were handled.
func count(n int64) (h queue.Handler, all chan struct{}) {
	var handled atomic.Int64
	all = make(chan struct{})
	return func(context.Context, *queue.Delivery) error {
		if handled.Add(1) == n {
			close(all)
		}
		return nil
	}, all
}

// TestTimingManyDue has very many messages fall due at one moment, beside another
// queue whose latency must not suffer.
func TestTimingManyDue(t *testing.T) {
	testenv.Timing(t)
	n := 50_000
	if testenv.Long() {
		n = 1_000_000
	}
	server, client := watched(t)
	q, other := redisQueue(t, client, "due"), redisQueue(t, server.Client(t), "other")
	due := time.Now().Add(time.Duration(n) * 20 * time.Microsecond)
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i] = queue.Message{Payload: make([]byte, 64), At: due}
	}
	if _, err := q.EnqueueMany(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(due.Add(-50 * time.Millisecond)))
	client.SlowLogReset(t.Context())
	h, all := count(int64(n))
	if _, err := q.Consume(t.Context(), h, queue.ConsumeOptions{}); err != nil {
		t.Fatal(err)
	}
	p99 := latencies(t, other, all, 0.99)
	worst := slowest(t, client)
	t.Logf("%d due at once: slowest call %v, p99 of another queue %v, all done %v after they were due", n, worst, p99, time.Since(due))
	if worst > 2*20*time.Millisecond {
		t.Errorf("a call took %v", worst)
	}
	if p99 > 2*50*time.Millisecond {
		t.Errorf("p99 of another queue is %v", p99)
	}
}

// latencies measures a queue, from enqueue to handler, until all is closed.
func latencies(t *testing.T, q queue.Queue, all <-chan struct{}, part float64) time.Duration {
	t.Helper()
	arrived := make(chan time.Time, 1)
	_, err := q.Consume(t.Context(), func(context.Context, *queue.Delivery) error {
		arrived <- time.Now()
		return nil
	}, queue.ConsumeOptions{Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	var list []time.Duration
	for {
		sent := time.Now()
		if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
			t.Fatal(err)
		}
		list = append(list, (<-arrived).Sub(sent))
		select {
		case <-all:
			slices.Sort(list)
			return list[int(part*float64(len(list)-1))]
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// TestTimingLargeMessages has messages of 1 MiB due together.
func TestTimingLargeMessages(t *testing.T) {
	testenv.Timing(t)
	const n = 200
	_, client := watched(t)
	q := redisQueue(t, client, "large")
	due := time.Now().Add(3 * time.Second)
	for range n {
		if _, err := q.Enqueue(t.Context(), queue.Message{Payload: make([]byte, 1<<20-1), At: due}); err != nil {
			t.Fatal(err)
		}
	}
	client.SlowLogReset(t.Context())
	h, all := count(n)
	if _, err := q.Consume(t.Context(), h, queue.ConsumeOptions{}); err != nil {
		t.Fatal(err)
	}
	<-all
	worst := slowest(t, client)
	t.Logf("%d messages of 1 MiB: slowest call %v", n, worst)
	if worst > 2*20*time.Millisecond {
		t.Errorf("a call took %v", worst)
	}
}

// TestTimingDelays measures how late delayed messages start.
func TestTimingDelays(t *testing.T) {
	testenv.Timing(t)
	const n = 500
	_, client := watched(t)
	q := redisQueue(t, client, "delays")
	var mu sync.Mutex
	var late []time.Duration
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		var due time.Time
		if err := due.UnmarshalBinary(d.Payload); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		late = append(late, time.Since(due))
		return nil
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		due := time.Now().Add(time.Duration(50+i%7*100) * time.Millisecond)
		payload, err := due.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Enqueue(t.Context(), queue.Message{Payload: payload, At: due}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(2 * time.Second)
	mu.Lock()
	defer mu.Unlock()
	slices.Sort(late)
	if len(late) != n {
		t.Fatalf("%d of %d arrived", len(late), n)
	}
	t.Logf("late: p50 %v, p99 %v; earliest %v", late[n/2], late[n*99/100], late[0])
	if late[0] < 0 {
		t.Errorf("a message was early by %v", -late[0])
	}
	if p99 := late[n*99/100]; p99 > 2*20*time.Millisecond {
		t.Errorf("p99 is %v", p99)
	}
}

// TestTimingGate closes the gate of a node that holds messages: but for those that
// run, it has none 100 ms later.
func TestTimingGate(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	q := openOn(t, server)
	if _, err := q.EnqueueMany(t.Context(), make([]queue.Message, 5000)); err != nil {
		t.Fatal(err)
	}
	var open atomic.Bool
	open.Store(true)
	var handled atomic.Int64
	slow, stop := make(chan struct{}), make(chan struct{})
	c, err := q.Consume(t.Context(), func(context.Context, *queue.Delivery) error {
		if handled.Add(1) < 1000 {
			return nil
		}
		select {
		case slow <- struct{}{}:
		case <-stop:
		}
		<-stop
		return nil
	}, queue.ConsumeOptions{Concurrency: 4, Accepting: open.Load})
	if err != nil {
		t.Fatal(err)
	}
	for range 4 {
		<-slow
	}
	inspector, _ := q.(queue.Inspector)
	inFlight := func() int {
		st, err := inspector.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st.InFlight
	}
	before, closed := inFlight(), time.Now()
	open.Store(false)
	c.Wake()
	for inFlight() > 4 && time.Since(closed) < 10*time.Second {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(closed)
	close(stop)
	t.Logf("%d messages went back within %v", before-4, took)
	if took > 2*100*time.Millisecond {
		t.Errorf("it took %v", took)
	}
}
