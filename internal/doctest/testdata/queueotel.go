// Package block has what the pieces of code in queueotel take for granted.
package block

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueotel"
)

var (
	client  redis.UniversalClient
	tel     *queueotel.Telemetry
	q       queue.Queue
	message queue.Message
)

func handle(ctx context.Context, d *queue.Delivery) error { panic("given") }
