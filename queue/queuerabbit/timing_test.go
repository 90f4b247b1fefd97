package queuerabbit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

// TestTimingClose: against a broker that does not answer, Close ends with its ctx.
func TestTimingClose(t *testing.T) {
	testenv.Timing(t)
	broker := testenv.RabbitMQ(t)
	conn := connect(t, broker.URL())
	q := open(t, conn, "close", queuerabbit.Options{})
	_, err := q.Consume(t.Context(), func(context.Context, *queue.Delivery) error { return nil }, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, q, "one")
	broker.Freeze()
	defer broker.Thaw()
	for _, end := range []func(context.Context) error{q.Close, conn.Close} {
		begun := time.Now()
		_ = end(within(t, 300*time.Millisecond))
		took := time.Since(begun)
		t.Logf("closed after %v", took)
		if took > 300*time.Millisecond+2*100*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
	}
}

// TestTimingReturn: after a forced close messages are handled again within 2 s.
func TestTimingReturn(t *testing.T) {
	testenv.Timing(t)
	broker := testenv.RabbitMQ(t)
	q := open(t, connect(t, broker.URL()), "return", queuerabbit.Options{})
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
	for i := range 5 {
		closeConnections(t, broker)
		begun := time.Now()
		text := fmt.Sprint("after ", i)
		for {
			_, err := q.Enqueue(within(t, patience), queue.Message{Payload: []byte(text)})
			if err == nil {
				break
			}
			if !errors.Is(err, queue.ErrUncertain) {
				t.Fatal(err)
			}
		}
		for found := false; !found; { // what was uncertain may come twice
			select {
			case came := <-got:
				found = came == text
			case <-time.After(patience):
				t.Fatalf("%q did not come", text)
			}
		}
		took := time.Since(begun)
		t.Logf("handled again after %v", took)
		if took > 2*2*time.Second {
			t.Errorf("it took %v", took)
		}
	}
}

// TestTimingDelays: mixed delays are never early, and late by the grain of the ladder
// and 60 ms at the most.
func TestTimingDelays(t *testing.T) {
	testenv.Timing(t)
	q := open(t, connect(t, testenv.RabbitURL(t)), fmt.Sprint("delays-", rand.Uint64()), queuerabbit.Options{})
	type arrival struct {
		delay time.Duration
		late  time.Duration
	}
	arrivals := make(chan arrival, 100)
	var begun [60]time.Time
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		var i, ms int
		if _, err := fmt.Sscan(string(d.Payload), &i, &ms); err != nil {
			return err
		}
		delay := time.Duration(ms) * time.Millisecond
		arrivals <- arrival{delay, time.Since(begun[i]) - delay}
		return nil
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	delays := []time.Duration{100 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second}
	put(t, q, "0 0") // declares the ladder
	<-arrivals
	for i := range begun {
		delay := delays[i%len(delays)]
		begun[i] = time.Now()
		m := queue.Message{Payload: fmt.Append(nil, i, " ", delay.Milliseconds()), Delay: delay}
		if _, err := q.Enqueue(within(t, patience), m); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	const bound = 2 * (100 + 60) * time.Millisecond
	worst := map[time.Duration]time.Duration{}
	for range begun {
		select {
		case a := <-arrivals:
			worst[a.delay] = max(worst[a.delay], a.late)
			if a.late < 0 || a.late > bound {
				t.Errorf("a delay of %v was %v late, want 0 to %v", a.delay, a.late, bound)
			}
		case <-time.After(patience):
			t.Fatal("a message did not come")
		}
	}
	t.Logf("late at the most: %v", worst)
}
