package queueredis_test

import (
	"context"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
)

// TestLargeBatch stores 100 000 messages in one call, of which each arrives once.
func TestLargeBatch(t *testing.T) {
	const n = 100_000
	q := openOn(t, testenv.Redis(t))
	results, err := q.EnqueueMany(t.Context(), make([]queue.Message, n))
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	arrived := make(chan queue.ID, 1024)
	_, err = q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		arrived <- d.ID
		return nil
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	missing := make(map[queue.ID]bool, n)
	for _, r := range results {
		missing[r.ID] = true
	}
	for len(missing) > 0 {
		select {
		case id := <-arrived:
			if !missing[id] {
				t.Fatalf("%v came twice, or was never stored", id)
			}
			delete(missing, id)
		case <-time.After(30 * time.Second):
			t.Fatalf("%d of %d did not arrive", len(missing), n)
		}
	}
}
