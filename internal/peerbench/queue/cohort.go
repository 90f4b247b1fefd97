package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

type cohort struct{ q queue.Queue }

func openCohort(_ context.Context, rdb *redis.Client) (system, error) {
	q, err := queueredis.New(rdb, "bench", queueredis.Options{})
	if err != nil {
		return nil, err
	}
	return cohort{q}, nil
}

func (c cohort) put(ctx context.Context, payload []byte) error {
	_, err := c.q.Enqueue(ctx, queue.Message{Payload: payload})
	return err
}

func (c cohort) putMany(ctx context.Context, payload []byte, n int) error {
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i].Payload = payload
	}
	_, err := c.q.EnqueueMany(ctx, messages)
	return err
}

func (c cohort) consume(handle func([]byte)) (func(), error) {
	consumer, err := c.q.Consume(context.Background(), func(_ context.Context, d *queue.Delivery) error {
		handle(d.Payload)
		return nil
	}, queue.ConsumeOptions{Concurrency: workers})
	if err != nil {
		return nil, err
	}
	return func() { closeWithin(consumer.Close) }, nil
}

func (c cohort) close() { closeWithin(c.q.Close) }

func closeWithin(f func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = f(ctx) // the server is about to be emptied
}
