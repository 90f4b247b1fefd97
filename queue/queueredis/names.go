package queueredis

import (
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
)

// Names lists the queues of a namespace that were ever used, in order. It looks at
// every key of the database, of all masters in a cluster, and needs the right to
// SCAN.
func Names(ctx context.Context, rdb redis.UniversalClient, namespace string) ([]string, error) {
	if err := redisconn.Check(rdb); err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	if err := rediskey.Namespace(namespace); err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	names, err := redisconn.Names(ctx, rdb, 0, namespace, "queue", "[ms]") // a queue has messages, or has counted some
	if err != nil {
		return nil, fmt.Errorf("queueredis: names: %w", err)
	}
	return names, nil
}
