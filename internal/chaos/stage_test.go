package chaos

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

// A stage is the servers of a scenario; those that it lacks are nil.
type stage struct {
	redis    *testenv.Server // the one that nodes use, behind proxy if there is one
	proxy    *testenv.Proxy
	sentinel *testenv.SentinelSet
	cluster  *testenv.Cluster
	rabbit   *testenv.Rabbit
}

// variables are what nodes read to find the servers.
func (s *stage) variables() []string {
	url := ""
	switch {
	case s.proxy != nil:
		url = "redis://" + s.proxy.Addr() + "/0"
	case s.redis != nil:
		url = s.redis.URL()
	case s.sentinel != nil:
		url = s.sentinel.URL()
	case s.cluster != nil:
		url = s.cluster.URL()
	}
	all := []string{
		"REDIS_URL=" + url, "CLUSTER_MODE=max", "CLUSTER_NAMESPACE=chaos",
		"CACHE_DEFAULT_STORE=redis", "LOCK_ADAPTER_DEFAULT=redis",
	}
	if s.rabbit != nil {
		return append(all, "QUEUE_ADAPTER=rabbitmq", "QUEUE_ADAPTER_RABBITMQ_URL="+s.rabbit.URL())
	}
	return append(all, "QUEUE_ADAPTER=redis")
}

// The servers that scenarios choose from.

func plain(c *course) stage { return stage{redis: testenv.Redis(c)} }

func behindProxy(c *course) stage {
	server := testenv.Redis(c)
	return stage{redis: server, proxy: testenv.NewProxy(c, server.Addr())}
}

func appendOnly(c *course) stage {
	return stage{redis: testenv.Redis(c, "--appendonly", "yes", "--appendfsync", "always")}
}

func withSentinel(c *course) stage { return stage{sentinel: testenv.Sentinel(c)} }
func ofCluster(c *course) stage    { return stage{cluster: testenv.RedisCluster(c)} }

func withRabbit(c *course) stage {
	return stage{redis: testenv.Redis(c), rabbit: testenv.RabbitMQ(c)}
}

// ask runs one command on every Redis that is a master, without the proxy.
func (c *course) ask(do func(ctx context.Context, r redis.UniversalClient) error) {
	ctx, cancel := context.WithTimeout(c.Context(), 2*time.Second)
	defer cancel()
	if c.cluster == nil {
		_ = do(ctx, c.direct()) // a server that is away has its fault already
		return
	}
	_ = c.cluster.Client(c).ForEachMaster(ctx, func(ctx context.Context, r *redis.Client) error { return do(ctx, r) })
}

// direct returns a client of the only Redis, or of the master.
func (c *course) direct() redis.UniversalClient {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.observer == nil {
		if c.sentinel != nil {
			c.observer = c.sentinel.Client(c)
		} else {
			c.observer = c.redis.Client(c)
		}
	}
	return c.observer
}

// chance is a number below n that comes from the seed.
func (c *course) chance(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return rand.New(c.source).IntN(n)
}
