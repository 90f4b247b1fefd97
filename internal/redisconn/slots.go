package redisconn

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediserr"
)

// followSlots makes a cluster client look up which node has which slots
// whenever a node fails. By itself go-redis does so only when a node that still
// answers sends it elsewhere, so it would keep to a dead master for
// ClusterStateReloadInterval. Other clients are left alone.
func followSlots(c redis.UniversalClient) {
	if cluster, ok := c.(*redis.ClusterClient); ok {
		cluster.OnNewNode(func(node *redis.Client) { node.AddHook(slotHook{cluster}) })
	}
}

// lookUpPatience is how long one node may take to say who has which slots before
// another is asked. All look-ups of a client wait for the one that runs, and a
// frozen node would hold it for ReadTimeout.
const lookUpPatience = 300 * time.Millisecond

// slotHook watches the connections to one node of a cluster.
type slotHook struct{ cluster *redis.ClusterClient }

// see starts a look-up if err says that the node is not what it was. go-redis
// runs one at a time and at most five a second.
func (h slotHook) see(ctx context.Context, err error) {
	if rediserr.Retryable(err) {
		h.cluster.ReloadState(ctx)
	}
}

// DialHook implements redis.Hook.
func (h slotHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		h.see(ctx, err)
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (h slotHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if _, lookUp := cmd.(*redis.ClusterSlotsCmd); lookUp {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, lookUpPatience)
			defer cancel()
		}
		err := next(ctx, cmd)
		h.see(ctx, err)
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h slotHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		h.see(ctx, err)
		return err
	}
}
