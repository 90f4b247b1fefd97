package lockredis

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/lock"
)

// scanned is how many keys one SCAN looks at.
const scanned = 1000

// List implements lock.ListBackend. It looks at every key of the database, of all
// masters in a cluster.
func (c *conn) List(ctx context.Context, limit int) ([]lock.Holding, error) {
	found, err := c.found(ctx)
	if err != nil {
		return nil, err
	}
	var held []lock.Holding
	for name := range found {
		if len(held) == limit {
			break
		}
		info, err := c.Inspect(ctx, name)
		if err != nil {
			return nil, err
		}
		if info.Held {
			held = append(held, lock.Holding{Name: name, Info: info})
		}
	}
	return held, nil
}

// found returns the names of all locks that were held on the way.
func (c *conn) found(ctx context.Context) (map[string]bool, error) {
	var mu sync.Mutex
	names := make(map[string]bool)
	add := func(keys []string) {
		mu.Lock()
		defer mu.Unlock()
		for _, key := range keys {
			encoded, _, _ := rediskey.Split(c.namespace, area, key)
			if name, err := rediskey.Decode(encoded); err == nil {
				names[name] = true
			}
		}
	}
	cluster, ok := c.client.(*redis.ClusterClient)
	if !ok {
		return names, c.scan(ctx, c.client, add)
	}
	return names, cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		return c.scan(ctx, node, add)
	})
}

// scan gives the keys of held locks on one server to add, some twice.
func (c *conn) scan(ctx context.Context, server redis.UniversalClient, add func(keys []string)) error {
	pattern := rediskey.Prefix(c.namespace, area) + "{*}:held"
	for cursor := uint64(0); ; {
		var keys []string
		var next uint64
		err := c.retry(ctx, func(ctx context.Context) (err error) {
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
