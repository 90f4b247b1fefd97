package queueredis

import (
	"context"
	"fmt"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
)

// scanned is how many keys one SCAN looks at.
const scanned = 1000

// Names lists the queues of a namespace that were ever used, in any order. It
// looks at every key of the database, of all masters in a cluster, and needs the
// right to SCAN.
func Names(ctx context.Context, rdb redis.UniversalClient, namespace string) ([]string, error) {
	if err := redisconn.Check(rdb); err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	if err := rediskey.Namespace(namespace); err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	var mu sync.Mutex
	found := make(map[string]bool)
	add := func(keys []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, key := range keys {
			encoded, _, _ := rediskey.Split(namespace, "queue", key)
			if name, err := rediskey.Decode(encoded); err == nil {
				found[name] = true
			}
		}
	}
	pattern := rediskey.Prefix(namespace, "queue") + "{*}:[ms]" // a queue has messages, or has counted some
	if err := scan(ctx, rdb, pattern, add); err != nil {
		return nil, fmt.Errorf("queueredis: names: %w", err)
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	return names, nil
}

// scan gives the keys of all masters that match to add, some twice.
func scan(ctx context.Context, rdb redis.UniversalClient, pattern string, add func(keys []string)) error {
	one := func(ctx context.Context, server redis.UniversalClient) error {
		for cursor := uint64(0); ; {
			var keys []string
			var next uint64
			err := redisconn.Retry(ctx, server, 0, func(ctx context.Context) (err error) {
				keys, next, err = server.Scan(ctx, cursor, pattern, scanned).Result()
				return err
			})
			if err != nil {
				return err
			}
			add(keys)
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error { return one(ctx, server) })
	}
	return one(ctx, rdb)
}
