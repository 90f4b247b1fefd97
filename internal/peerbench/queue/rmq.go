package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/adjust/rmq/v5"
	"github.com/redis/go-redis/v9"
)

type rmqSystem struct {
	rdb    *redis.Client
	conn   rmq.Connection
	queue  rmq.Queue
	opened atomic.Int64
}

func openRMQ(_ context.Context, rdb *redis.Client) (system, error) {
	s := &rmqSystem{rdb: rdb}
	return s, s.reopen()
}

// reopen makes a new connection: a queue can be consumed once per connection.
func (s *rmqSystem) reopen() error {
	name := fmt.Sprintf("bench-%d", s.opened.Add(1))
	conn, err := rmq.OpenConnectionWithRedisClient(name, s.rdb, nil)
	if err != nil {
		return err
	}
	s.conn = conn
	s.queue, err = conn.OpenQueue("bench")
	return err
}

func (s *rmqSystem) put(_ context.Context, payload []byte) error {
	return s.queue.PublishBytes(payload)
}

func (s *rmqSystem) putMany(_ context.Context, payload []byte, n int) error {
	payloads := make([][]byte, n)
	for i := range payloads {
		payloads[i] = payload
	}
	return s.queue.PublishBytes(payloads...)
}

func (s *rmqSystem) consume(handle func([]byte)) (func(), error) {
	if err := s.queue.StartConsuming(1000, 10*time.Millisecond); err != nil {
		return nil, err
	}
	for range workers {
		_, err := s.queue.AddConsumerFunc("bench", func(d rmq.Delivery) {
			handle([]byte(d.Payload()))
			_ = d.Ack() // a failure shows as a message that is missing
		})
		if err != nil {
			return nil, err
		}
	}
	return func() {
		<-s.conn.StopAllConsuming()
		_ = s.reopen() // the next use reports that the server is gone
	}, nil
}

func (s *rmqSystem) close() { <-s.conn.StopAllConsuming() }
