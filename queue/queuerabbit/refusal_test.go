package queuerabbit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

func TestBadInput(t *testing.T) {
	const secret = "hunter2"
	for _, urls := range [][]string{nil, {"amqp:/u:" + secret + "@h"}, {"redis://h"}, {"amqp://u:" + secret + "@"}} {
		_, err := queuerabbit.NewConn(queuerabbit.ConnOptions{}, urls...)
		if err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%d URLs: %v", len(urls), err)
		}
	}
	conn := connect(t, "amqp://u:"+secret+"@127.0.0.1:1/")
	_, err := queuerabbit.New(conn, "", queuerabbit.Options{Namespace: "a b", MaxLen: -1, Options: queue.Options{}})
	for _, want := range []string{"namespace", "MaxLen is -1", "name of 0 bytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
	if _, err := queuerabbit.New(nil, "q", queuerabbit.Options{}); err == nil {
		t.Error("nil conn accepted")
	}
	q := open(t, conn, "q", queuerabbit.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = q.Enqueue(ctx, queue.Message{Payload: []byte("x")})
	if err == nil || errors.Is(err, queue.ErrUncertain) || strings.Contains(err.Error(), secret) {
		t.Errorf("without a broker: %v", err)
	}
	for _, m := range []queue.Message{
		{ID: queue.IDOf("a")}, {Priority: queue.PriorityHigh}, {Key: "k"}, {Unique: queue.Unique{Key: "u"}}, {TTL: time.Second}, {Retain: time.Second},
	} {
		if _, err := q.Enqueue(t.Context(), m); !errors.Is(err, queue.ErrUnsupported) {
			t.Errorf("%+v: %v, want ErrUnsupported", m, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	url := testenv.RabbitURL(t)
	name := fmt.Sprint("refusals-", rand.Uint64())
	conn := connect(t, url)
	small := open(t, conn, name, queuerabbit.Options{MaxLen: 3})
	full := false
	for range 100 { // the broker lets a few more in
		_, err := small.Enqueue(t.Context(), queue.Message{Payload: []byte("x")})
		if full = errors.Is(err, queue.ErrQueueFull); full {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !full {
		t.Error("the queue never was full")
	}
	if _, err := small.Enqueue(t.Context(), queue.Message{Delay: time.Second}); !errors.Is(err, queue.ErrUnsupported) {
		t.Errorf("delay: %v, want ErrUnsupported", err)
	}
	_, err := open(t, conn, name, queuerabbit.Options{}).Enqueue(t.Context(), queue.Message{})
	if !errors.Is(err, queue.ErrTopologyMismatch) {
		t.Errorf("other properties: %v, want ErrTopologyMismatch", err)
	}
	if _, err := open(t, conn, name+"-other", queuerabbit.Options{}).Enqueue(t.Context(), queue.Message{}); err != nil {
		t.Errorf("another queue suffers: %v", err)
	}
}

func TestOrdered(t *testing.T) {
	conn := connect(t, testenv.RabbitURL(t))
	name := fmt.Sprint("ordered-", rand.Uint64())
	opts := queuerabbit.Options{Ordered: true}
	q := open(t, conn, name, opts)
	got := make(chan string, 100)
	for _, node := range []queue.Queue{q, open(t, conn, name, opts)} {
		_, err := node.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
			got <- fmt.Sprint(string(d.Payload), d.Attempt)
			if string(d.Payload) == "b" && d.Attempt < 3 {
				return queue.RetryIn(50*time.Millisecond, errors.New("not yet"))
			}
			return nil
		}, queue.ConsumeOptions{Concurrency: 4})
		if err != nil {
			t.Fatal(err)
		}
	}
	put(t, q, "a", "b", "c", "d")
	for _, want := range []string{"a1", "b1", "b2", "b3", "c1", "d1"} {
		next(t, got, want)
	}
}

// TestDies has a message fail until it is dead.
func TestDies(t *testing.T) {
	url := testenv.RabbitURL(t)
	conn := connect(t, url)
	name := fmt.Sprint("dead-", rand.Uint64())
	q := open(t, conn, name, queuerabbit.Options{})
	ran := make(chan int, 10)
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		ran <- d.Attempt
		return queue.RetryIn(0, errors.New("never works"))
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{MaxAttempts: 3}); err != nil {
		t.Fatal(err)
	}
	for want := 1; want <= 3; want++ {
		select {
		case got := <-ran:
			if got != want {
				t.Fatalf("attempt %d, want %d", got, want)
			}
		case <-time.After(patience):
			t.Fatalf("attempt %d did not come", want)
		}
	}
	dead := "cohort.queue." + name + ".dead"
	await(t, "it is dead", func() bool { return ready(t, url, dead) == 1 })
	ch := channel(t, url)
	for i := range 100 { // whoever looks at it and puts it back does not lose it
		d, ok, err := ch.Get(dead, false)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			continue // the one put back is on its way
		}
		if d.Headers["cohort-reason"] != "never works" || d.Headers["cohort-failures"] != int32(3) {
			t.Fatalf("look %d: %v", i, d.Headers)
		}
		if err := d.Nack(false, true); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "it is still there", func() bool { return ready(t, url, dead) == 1 })
	if len(ran) > 0 {
		t.Errorf("attempt %d after the last", <-ran)
	}
}
