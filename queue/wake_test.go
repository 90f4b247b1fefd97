package queue_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// crossing is a store whose signal reaches a Consumer just as it closes.
type crossing struct{ shared }

func (c crossing) Wait(ctx context.Context, d time.Duration) error {
	<-ctx.Done()
	return c.shared.Wait(context.WithoutCancel(ctx), d)
}

// TestSignalAtClose closes a Consumer that has taken the signal of a message and
// will not claim it: the signal goes on to others.
func TestSignalAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := queue.NewMemoryStore(queue.MemoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		q, err := queue.New("closing", crossing{shared{store}}, queue.Options{})
		if err != nil {
			t.Fatal(err)
		}
		handler := func(context.Context, *queue.Delivery) error { return nil }
		c, err := q.Consume(t.Context(), handler, queue.ConsumeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it is idle
		if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := store.Wait(t.Context(), time.Hour); err != nil || time.Since(began) > 0 {
			t.Errorf("no signal for %v, %v", time.Since(began), err)
		}
		if err := q.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
