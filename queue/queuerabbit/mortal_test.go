package queuerabbit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
)

// mortalWorker is a process that says which messages it did, and dies of "poison".
func mortalWorker(args []string) {
	conn, err := queuerabbit.NewConn(queuerabbit.ConnOptions{}, args[0])
	if err != nil {
		panic(err)
	}
	q, err := queuerabbit.New(conn, args[1], queuerabbit.Options{})
	if err != nil {
		panic(err)
	}
	c, err := q.Consume(context.Background(), func(_ context.Context, d *queue.Delivery) error {
		if string(d.Payload) == "poison" {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		}
		fmt.Println("did", string(d.Payload))
		return nil
	}, queue.ConsumeOptions{Concurrency: 4, OnError: func(error) {}})
	if err != nil {
		panic(err)
	}
	_ = c.Wait()
}

// TestKillsItsProcess: a handler that kills its process kills its own message after
// MaxAttempts and none of those beside it, although each of these may fail but once.
func TestKillsItsProcess(t *testing.T) {
	const healthy, lives = 40, 30
	url := testenv.RabbitURL(t)
	name := fmt.Sprint("mortal-", rand.Uint64())
	q := open(t, connect(t, url), name, queuerabbit.Options{})
	list := make([]queue.Message, 0, healthy+1)
	for i := range healthy {
		if i == healthy/2 {
			list = append(list, queue.Message{Payload: []byte("poison"), MaxAttempts: 3})
		}
		list = append(list, queue.Message{Payload: fmt.Append(nil, i), MaxAttempts: 1})
	}
	if _, err := q.EnqueueMany(within(t, patience), list); err != nil {
		t.Fatal(err)
	}
	i, _ := q.(queue.Inspector)
	done := map[string]bool{}
	dead := func() bool {
		st, err := i.Stats(within(t, patience))
		if err != nil {
			t.Fatal(err)
		}
		return st.Dead > 0
	}
	for life := 0; !dead() || len(done) < healthy; life++ {
		if life == lives {
			t.Fatalf("after %d processes: %d healthy messages are done, the poison is dead: %t", life, len(done), dead())
		}
		child := testenv.Child(t, "worker", url, name)
		enough := time.NewTicker(50 * time.Millisecond)
		for alive := true; alive; {
			select {
			case line, ok := <-child.Lines():
				if alive = ok; ok {
					done[strings.TrimPrefix(line, "did ")] = true
				}
			case <-enough.C:
				alive = !dead() || len(done) < healthy
			}
		}
		enough.Stop()
	}
	page, err := i.List(within(t, patience), queue.ListRequest{State: queue.StateDead})
	if err != nil || len(page.Messages) != 1 || string(page.Messages[0].Payload) != "poison" {
		t.Errorf("dead: %+v, %v", page.Messages, err)
	}
}

// TestFailsAtOnce: a message that fails twenty times without a pause comes again, which
// is when the broker would drop it by itself.
func TestFailsAtOnce(t *testing.T) {
	q := open(t, connect(t, testenv.RabbitURL(t)), fmt.Sprint("fails-", rand.Uint64()), queuerabbit.Options{})
	ended := make(chan int, 1)
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		if d.Attempt <= 22 {
			return queue.RetryIn(0, errors.New("not yet"))
		}
		ended <- d.Attempt
		return nil
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, q, "stubborn")
	select {
	case attempt := <-ended:
		if attempt != 23 {
			t.Errorf("done at attempt %d, want 23", attempt)
		}
	case <-time.After(patience):
		t.Error("it never came again")
	}
}
