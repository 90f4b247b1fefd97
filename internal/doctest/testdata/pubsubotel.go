// Package block has what the pieces of code in pubsubotel take for granted.
package block

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubotel"
)

var (
	client  redis.UniversalClient
	tel     *pubsubotel.Telemetry
	ps      pubsub.PubSub
	message pubsub.Message
)

func handle(ctx context.Context, d *pubsub.Delivery) error { panic("given") }
