package cohort

import (
	"context"
	"maps"
	"slices"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/workerid"
)

// Numbers returns where the worker numbers are leased, which lists their holders.
func (n *Node) Numbers() workerid.Allocator { return n.numbers }

// Store returns what the caches of the nodes share; it may be a [cache.Lister].
func (n *Node) Store() cache.Store { return n.store }

// QueueNames lists the queues that are known, in order: those that this Node has
// opened, and with Redis all in the namespace that were ever used, for which it
// looks at every key. It is for people who look at a cluster.
func (n *Node) QueueNames(ctx context.Context) ([]string, error) {
	n.mu.Lock()
	names := slices.Collect(maps.Keys(n.queues))
	n.mu.Unlock()
	if n.redisQueues != nil {
		used, err := queueredis.Names(ctx, n.redisQueues, n.config.Namespace)
		if err != nil {
			return nil, err
		}
		names = append(names, used...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
