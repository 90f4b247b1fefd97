package queue_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// pipelined is a store that answers nobody before all producers have asked.
type pipelined struct {
	queue.Backend
	asked sync.WaitGroup
}

func (p *pipelined) Capabilities() queue.Capabilities {
	c := p.Backend.Capabilities()
	c.Pipelined = true
	return c
}

func (p *pipelined) Enqueue(ctx context.Context, batch []queue.Envelope) ([]error, error) {
	p.asked.Done()
	p.asked.Wait()
	return p.Backend.Enqueue(ctx, batch)
}

// TestPipelined: producers of a pipelined backend do not wait for each other.
func TestPipelined(t *testing.T) {
	const producers = 16
	store, err := queue.NewMemoryStore(queue.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := &pipelined{Backend: store}
	b.asked.Add(producers)
	q, err := queue.New("q", b, queue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	results := make(chan error, producers)
	for range producers {
		go func() {
			_, err := q.Enqueue(ctx, queue.Message{})
			results <- err
		}()
	}
	for range producers {
		select {
		case err := <-results:
			if err != nil {
				t.Error(err)
			}
		case <-ctx.Done():
			t.Fatal("one producer waits for the reply to another")
		}
	}
	if err := q.Close(ctx); err != nil {
		t.Error(err)
	}
}
