package redisconn

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediskey"
)

// scanned is about how many keys one SCAN looks at.
const scanned = 1000

// Names returns, in order, the names of an area for which there is a key whose
// part matches a pattern, all of the time that the search takes. It looks at every
// key of the database, of all masters in a cluster. Each attempt at a command is
// bounded by opTimeout, if that is not 0.
func Names(ctx context.Context, c redis.UniversalClient, opTimeout time.Duration, namespace, area, part string) ([]string, error) {
	var mu sync.Mutex
	var names []string
	search := func(ctx context.Context, server redis.UniversalClient) error {
		for cursor := uint64(0); ; {
			var keys []string
			var next uint64
			err := Retry(ctx, server, opTimeout, func(ctx context.Context) (err error) {
				keys, next, err = server.Scan(ctx, cursor, rediskey.Prefix(namespace, area)+"{*}:"+part, scanned).Result()
				return err
			})
			if err != nil {
				return err
			}
			mu.Lock()
			names = append(names, namesIn(keys, namespace, area)...)
			mu.Unlock()
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	}
	err := eachMaster(ctx, c, search)
	slices.Sort(names)
	return slices.Compact(names), err // SCAN tells some keys twice
}

// namesIn leaves out keys that nobody of this module wrote.
func namesIn(keys []string, namespace, area string) (names []string) {
	for _, key := range keys {
		encoded, _, _ := rediskey.Split(namespace, area, key)
		if name, err := rediskey.Decode(encoded); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// eachMaster calls f with a client of each master, at the same time in a cluster.
func eachMaster(ctx context.Context, c redis.UniversalClient, f func(ctx context.Context, server redis.UniversalClient) error) error {
	if cluster, ok := c.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error { return f(ctx, server) })
	}
	return f(ctx, c)
}
