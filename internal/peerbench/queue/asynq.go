package queue

import (
	"context"
	"io"
	"log"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
)

type asynqSystem struct {
	rdb    *redis.Client
	client *asynq.Client
}

func openAsynq(_ context.Context, rdb *redis.Client) (system, error) {
	return &asynqSystem{rdb: rdb, client: asynq.NewClientFromRedisClient(rdb)}, nil
}

func (a *asynqSystem) put(ctx context.Context, payload []byte) error {
	_, err := a.client.EnqueueContext(ctx, asynq.NewTask("bench", payload))
	return err
}

func (a *asynqSystem) putMany(ctx context.Context, payload []byte, n int) error {
	for range n {
		if err := a.put(ctx, payload); err != nil {
			return err
		}
	}
	return nil
}

func (a *asynqSystem) consume(handle func([]byte)) (func(), error) {
	server := asynq.NewServerFromRedisClient(a.rdb, asynq.Config{
		Concurrency: workers,
		Logger:      quiet{log.New(io.Discard, "", 0)},
		LogLevel:    asynq.FatalLevel,
	})
	mux := asynq.NewServeMux()
	mux.HandleFunc("bench", func(_ context.Context, t *asynq.Task) error {
		handle(t.Payload())
		return nil
	})
	if err := server.Start(mux); err != nil {
		return nil, err
	}
	return server.Shutdown, nil
}

func (a *asynqSystem) close() {}

// quiet drops asynq's log.
type quiet struct{ *log.Logger }

func (quiet) Debug(...any) {}
func (quiet) Info(...any)  {}
func (quiet) Warn(...any)  {}
func (quiet) Error(...any) {}
func (quiet) Fatal(...any) {}
