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

// TestPoison: a message whose worker dies with it every time is dead after MaxAttempts,
// and the healthy one beside it is done.
func TestPoison(t *testing.T) {
	url := testenv.RabbitURL(t)
	name := fmt.Sprint("poison-", rand.Uint64())
	q := open(t, connect(t, url), name, queuerabbit.Options{})
	for _, text := range []string{"poison", "healthy"} {
		if _, err := q.Enqueue(t.Context(), queue.Message{Payload: []byte(text), MaxAttempts: 2}); err != nil {
			t.Fatal(err)
		}
	}
	healthy := false
	for end := time.Now().Add(patience); ready(t, url, "cohort.queue."+name+".dead") == 0; {
		if time.Now().After(end) {
			t.Fatal("the poison is not dead")
		}
		healthy = takeAndDie(t, url, name) || healthy
	}
	for !healthy && !t.Failed() {
		healthy = takeAndDie(t, url, name)
	}
	if n := ready(t, url, "cohort.queue."+name+".dead"); n != 1 {
		t.Errorf("%d messages are dead, want the poison alone", n)
	}
}

// takeAndDie is a worker that does a healthy message and ends with the other unsettled.
func takeAndDie(t *testing.T, url, name string) (healthy bool) {
	t.Helper()
	conn, err := queuerabbit.NewConn(queuerabbit.ConnOptions{}, url)
	if err != nil {
		t.Fatal(err)
	}
	q, err := queuerabbit.New(conn, name, queuerabbit.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	list, err := q.Receive(ctx, 1, time.Minute)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	for _, d := range list {
		if string(d.Payload) == "healthy" {
			healthy = d.Settle(within(t, patience), nil) == nil
		}
	}
	_ = conn.Close(within(t, patience)) // before the queue: nothing is given back in order
	_ = q.Close(within(t, time.Second))
	return healthy
}
