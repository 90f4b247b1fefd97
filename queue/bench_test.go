package queue_test

import (
	"context"
	"sync"
	"testing"

	"github.com/cohort-go/cohort/queue"
)

// BenchmarkMemoryProcess takes one message from enqueue to done.
func BenchmarkMemoryProcess(b *testing.B) {
	q, err := queue.NewMemory("bench", queue.MemoryOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer q.Close(context.Background())
	messages := make([]queue.Message, 1000)
	for i := range messages {
		messages[i].Payload = make([]byte, 128)
	}
	var wg sync.WaitGroup
	handler := func(context.Context, *queue.Delivery) error { wg.Done(); return nil }
	if _, err := q.Consume(b.Context(), handler, queue.ConsumeOptions{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		wg.Add(len(messages))
		if _, err := q.EnqueueMany(b.Context(), messages); err != nil {
			b.Fatal(err)
		}
		wg.Wait()
	}
	b.ReportMetric(float64(b.N*len(messages))/b.Elapsed().Seconds(), "messages/s")
}
