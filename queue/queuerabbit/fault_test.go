package queuerabbit_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

const patience = 30 * time.Second

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func put(t *testing.T, q queue.Queue, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if _, err := q.Enqueue(within(t, patience), queue.Message{Payload: []byte(text)}); err != nil {
			t.Fatalf("enqueue %s: %v", text, err)
		}
	}
}

// receive takes one message.
func receive(t *testing.T, q queue.Queue) *queue.Delivery {
	t.Helper()
	for {
		list, err := q.Receive(within(t, patience), 1, time.Minute)
		if err == nil {
			return list[0]
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

// TestFaults inflicts faults on one broker, one after the other.
func TestFaults(t *testing.T) {
	broker := testenv.RabbitMQ(t)
	for _, test := range []struct {
		name string
		run  func(t *testing.T, broker *testenv.Rabbit)
	}{
		{"a delivery settled after a reconnect acknowledges nothing", staleDelivery},
		{"forced closes lose nothing and bury nothing", forcedCloses},
		{"a deleted queue comes back, with what was on the ladder", deletedQueue},
		{"a deleted queue does not hold up another one's delays", deletedNeighbour},
		{"a memory alarm stops publishers, who hear of it in time", alarm},
		{"a stopped broker does not hold up Close", stoppedBroker},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, broker) })
	}
}

func closeConnections(t *testing.T, broker *testenv.Rabbit) {
	t.Helper()
	broker.Ctl(t, "close_all_connections", "test")
}

func staleDelivery(t *testing.T, broker *testenv.Rabbit) {
	q := open(t, connect(t, broker.URL()), "stale", queuerabbit.Options{})
	put(t, q, "a", "b")
	first := receive(t, q)
	closeConnections(t, broker)
	again := receive(t, q) // the same one, or the other, of the next generation
	if err := first.Settle(within(t, patience), nil); !errors.Is(err, queue.ErrLeaseLost) {
		t.Errorf("the old delivery: %v, want ErrLeaseLost", err)
	}
	if err := again.Settle(within(t, patience), nil); err != nil {
		t.Errorf("the new one: %v", err)
	}
	other := receive(t, q)
	if string(other.Payload) == string(again.Payload) {
		t.Errorf("%s came again", other.Payload)
	}
	if err := other.Settle(within(t, patience), nil); err != nil {
		t.Error(err)
	}
}

func forcedCloses(t *testing.T, broker *testenv.Rabbit) {
	const n = 3000
	q := open(t, connect(t, broker.URL()), "closes", queuerabbit.Options{})
	var mu sync.Mutex
	seen := map[string]bool{}
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		mu.Lock()
		defer mu.Unlock()
		seen[string(d.Payload)] = true
		return nil
	}, queue.ConsumeOptions{OnError: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	var next, stored atomic.Int64
	var producers sync.WaitGroup
	for range 4 {
		producers.Go(func() {
			for {
				i := next.Add(1)
				if i > n {
					return
				}
				for {
					_, err := q.Enqueue(within(t, patience), queue.Message{Payload: fmt.Append(nil, i)})
					if err == nil {
						break
					}
					if !errors.Is(err, queue.ErrUncertain) {
						t.Errorf("enqueue: %v", err)
					}
				}
				stored.Add(1)
				time.Sleep(4 * time.Millisecond)
			}
		})
	}
	for stored.Load() < n && !t.Failed() {
		closeConnections(t, broker)
	}
	producers.Wait()
	await(t, "all are handled", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == n
	})
	if dead := ready(t, broker.URL(), "cohort.queue.closes.dead"); dead > 0 {
		t.Errorf("%d healthy messages are dead", dead)
	}
}

func deletedQueue(t *testing.T, broker *testenv.Rabbit) {
	q := open(t, connect(t, broker.URL()), "deleted", queuerabbit.Options{})
	got := make(chan string, 100)
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		got <- string(d.Payload)
		return nil
	}, queue.ConsumeOptions{OnError: func(error) {}})
	if err != nil {
		t.Fatal(err)
	}
	put(t, q, "before")
	next(t, got, "before")
	_, err = q.Enqueue(within(t, patience), queue.Message{Payload: []byte("later"), Delay: 3 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	broker.Ctl(t, "delete_queue", "cohort.queue.deleted")
	put(t, q, "after")
	next(t, got, "after")
	next(t, got, "later")
}

func deletedNeighbour(t *testing.T, broker *testenv.Rabbit) {
	gone := open(t, connect(t, broker.URL()), "gone", queuerabbit.Options{})
	q := open(t, connect(t, broker.URL()), "neighbour", queuerabbit.Options{})
	for _, one := range []struct {
		q    queue.Queue
		wait time.Duration
	}{{gone, 3 * time.Second}, {q, 3100 * time.Millisecond}, {q, 6 * time.Second}} {
		_, err := one.q.Enqueue(within(t, patience), queue.Message{Payload: []byte("later"), Delay: one.wait})
		if err != nil {
			t.Fatal(err)
		}
	}
	broker.Ctl(t, "delete_queue", "cohort.queue.gone")
	for range 2 { // the broker would hold them up for three minutes
		if err := receive(t, q).Settle(within(t, patience), nil); err != nil {
			t.Error(err)
		}
	}
	again := open(t, connect(t, broker.URL()), "gone", queuerabbit.Options{}) // declares it anew
	if err := receive(t, again).Settle(within(t, patience), nil); err != nil {
		t.Error(err)
	}
}

func alarm(t *testing.T, broker *testenv.Rabbit) {
	q := open(t, connect(t, broker.URL()), "alarm", queuerabbit.Options{})
	put(t, q, "before")
	broker.Ctl(t, "set_vm_memory_high_watermark", "0.00001")
	blocked := false
	for begin := time.Now(); !blocked && time.Since(begin) < patience; {
		start := time.Now()
		_, err := q.Enqueue(within(t, 300*time.Millisecond), queue.Message{Payload: []byte("during")})
		blocked = errors.Is(err, queuerabbit.ErrBlocked)
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("enqueue took %v", took)
		}
	}
	if !blocked {
		t.Error("nobody said that the broker blocks")
	}
	broker.Ctl(t, "set_vm_memory_high_watermark", "0.6")
	put(t, q, "after")
}

func stoppedBroker(t *testing.T, broker *testenv.Rabbit) {
	conn := connect(t, broker.URL())
	q := open(t, conn, "stopped", queuerabbit.Options{})
	put(t, q, "one")
	receive(t, q)
	broker.Freeze()
	defer broker.Thaw()
	start := time.Now()
	_ = q.Close(within(t, 200*time.Millisecond))
	_ = conn.Close(within(t, 200*time.Millisecond))
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// next waits for a text.
func next(t *testing.T, got <-chan string, want string) {
	t.Helper()
	select {
	case text := <-got:
		if text != want {
			t.Fatalf("got %q, want %q", text, want)
		}
	case <-time.After(patience):
		t.Fatalf("%q did not come", want)
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// ready is how many messages wait in a queue of the broker.
func ready(t *testing.T, url, name string) int {
	t.Helper()
	ch := channel(t, url)
	defer ch.Close()
	q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Messages
}

// channel opens one that looks at the broker beside the code under test.
func channel(t *testing.T, url string) *amqp.Channel {
	t.Helper()
	conn, err := amqp.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}
