package queueredis_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// children are the processes of the tests below.
func children() map[string]func([]string) {
	return map[string]func([]string){"hold": holdMessages, "poison": diesOfPoison, "idle": idle}
}

func childQueue(addr string) queue.Queue {
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	q, err := queueredis.New(client, "death", queueredis.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	return q
}

// holdMessages takes 256 messages and never ends one.
func holdMessages(args []string) {
	started := make(chan struct{}, 256)
	_, err := childQueue(args[0]).Consume(context.Background(), func(context.Context, *queue.Delivery) error {
		started <- struct{}{}
		select {}
	}, queue.ConsumeOptions{Concurrency: 256, Lease: time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	for range 256 {
		<-started
	}
	fmt.Println("holding")
	select {}
}

// TestKilledWorker kills a worker with 256 messages in flight.
func TestKilledWorker(t *testing.T) {
	server := testenv.Redis(t)
	q := openOn(t, server)
	if _, err := q.EnqueueMany(t.Context(), make([]queue.Message, 256)); err != nil {
		t.Fatal(err)
	}
	child := testenv.Child(t, "hold", server.Addr())
	if line := child.Line(t); line != "holding" {
		t.Fatalf("the child says %q", line)
	}
	done := make(chan queue.ID, 1024)
	_, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		done <- d.ID
		return nil
	}, queue.ConsumeOptions{Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	child.Kill()
	killed := time.Now()
	seen := map[queue.ID]int{}
	for len(seen) < 256 {
		select {
		case id := <-done:
			seen[id]++
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of 256 came back", len(seen))
		}
	}
	t.Logf("all were done %v after the kill, with a lease of 1s", time.Since(killed))
	for id, n := range seen {
		if n > 1 {
			t.Errorf("%v ran %d times", id, n)
		}
	}
}

// diesOfPoison works until it meets the poisonous message.
func diesOfPoison(args []string) {
	_, err := childQueue(args[0]).Consume(context.Background(), func(_ context.Context, d *queue.Delivery) error {
		if string(d.Payload) == "poison" {
			os.Exit(3)
		}
		time.Sleep(5 * time.Millisecond)
		return nil
	}, queue.ConsumeOptions{Concurrency: 16, Lease: 200 * time.Millisecond})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	select {}
}

// TestPoison has a handler that ends its process: its message dies, no other does.
func TestPoison(t *testing.T) {
	server := testenv.Redis(t)
	q := openOn(t, server)
	messages := make([]queue.Message, 200)
	for i := range messages {
		messages[i] = queue.Message{Payload: []byte("healthy"), MaxAttempts: 3}
	}
	messages[100].Payload = []byte("poison")
	if _, err := q.EnqueueMany(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	inspector, _ := q.(queue.Inspector)
	deaths := 0
	for range 12 {
		child := testenv.Child(t, "poison", server.Addr())
		for ended := false; !ended; {
			select {
			case <-child.Ended():
				deaths++
				ended = true
			case <-time.After(100 * time.Millisecond):
			}
			st, err := inspector.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if st.Done == 199 && st.Dead == 1 {
				t.Logf("after %d deaths of workers: %d done, %d dead", deaths, st.Done, st.Dead)
				checkDead(t, inspector)
				return
			}
		}
	}
	st, _ := inspector.Stats(t.Context())
	t.Fatalf("after %d deaths: %+v", deaths, st)
}

func checkDead(t *testing.T, inspector queue.Inspector) {
	page, err := inspector.List(t.Context(), queue.ListRequest{State: queue.StateDead})
	if err != nil || len(page.Messages) != 1 {
		t.Fatalf("dead: %v, %v", page, err)
	}
	m := page.Messages[0]
	if string(m.Payload) != "poison" || m.Failures != 3 || !strings.Contains(m.LastError, "lease lost") {
		t.Errorf("dead is %q after %d failures: %s", m.Payload, m.Failures, m.LastError)
	}
}

func openOn(t *testing.T, server *testenv.Server) queue.Queue {
	t.Helper()
	q, err := queueredis.New(server.Client(t), "death", queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close(context.Background()) })
	return q
}
