package lockredis

import (
	"context"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/lock"
)

// List implements lock.ListBackend. It looks at every key of the database, of all
// masters in a cluster.
func (c *conn) List(ctx context.Context, limit int) ([]lock.Holding, error) {
	names, err := redisconn.Names(ctx, c.client, c.timeout, c.namespace, area, "held")
	if err != nil {
		return nil, err
	}
	var held []lock.Holding
	for _, name := range names {
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
