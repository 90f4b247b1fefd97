package testenv

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// sharedPatience keeps a busy machine from causing a failover where no test
// wants one.
const sharedPatience = 15 * time.Second

// EachRedis runs f once for every kind of Redis that the module promises to
// work with: Redis 8, Valkey 8 over TLS with certificates on both sides, a Redis
// Cluster, a master behind sentinels, and Redis 7 in a container. Each run is a
// subtest named after its kind and finds an empty server.
//
// Where COHORT_TEST_REDIS_URL names a server, there is a run on that one, too.
//
// The servers are shared by all tests of the binary and stopped at its end.
// f must not do them harm: tests that freeze, kill or reconfigure a server
// start one of their own.
func EachRedis(t *testing.T, f func(t *testing.T, client redis.UniversalClient)) {
	t.Helper()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) { f(t, kind.client(t)) })
	}
	if url := os.Getenv(redisVariable); url != "" {
		t.Run("given", func(t *testing.T) { f(t, givenRedis(t, url)) })
	}
}

// EachRedisAndMini is EachRedis and a run on miniredis.
func EachRedisAndMini(t *testing.T, f func(t *testing.T, client redis.UniversalClient)) {
	t.Helper()
	t.Run("mini", func(t *testing.T) { f(t, Mini(t)) })
	EachRedis(t, f)
}

// kinds are the servers that EachRedis visits.
var kinds = []*kind{
	shared("redis8", startRedis),
	shared("valkey8-tls", startValkeyTLS),
	shared("cluster", startCluster),
	shared("sentinel", startSentinel),
	shared("redis7", startContainer("redis:7")),
}

// A kind is one sort of Redis, shared by the tests of this binary and used by
// one of them at a time.
type kind struct {
	name  string
	inUse sync.Mutex
	start func() (connector, error) // once
}

// A connector returns a client that is closed at the end of t.
type connector func(t testing.TB) redis.UniversalClient

func shared(name string, start func() (connector, error)) *kind {
	return &kind{name: name, start: sync.OnceValues(start)}
}

// client waits until no other test uses the servers, empties them, and returns
// a client that is closed at the end of t.
func (k *kind) client(t *testing.T) redis.UniversalClient {
	t.Helper()
	owned.check(t)
	k.inUse.Lock()
	t.Cleanup(k.inUse.Unlock)
	connect, err := k.start()
	if err != nil {
		unavailable(t, err)
	}
	client := connect(t)
	if err := empty(t.Context(), client); err != nil {
		t.Fatalf("testenv: empty %s: %v", k.name, err)
	}
	return client
}

// empty deletes all keys.
func empty(ctx context.Context, client redis.UniversalClient) error {
	if cluster, ok := client.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() })
	}
	return client.FlushAll(ctx).Err()
}

func startRedis() (connector, error) {
	dir, err := owned.sharedDir()
	if err != nil {
		return nil, err
	}
	s, err := newServer("redis-server", dir)
	if err != nil {
		return nil, err
	}
	owned.onClose(s.stop)
	return func(t testing.TB) redis.UniversalClient { return s.Client(t) }, nil
}

func startValkeyTLS() (connector, error) {
	dir, err := owned.sharedDir()
	if err != nil {
		return nil, err
	}
	files, err := newCertificates(dir)
	if err != nil {
		return nil, err
	}
	s, err := newTLSServer("valkey-server", dir, files, true)
	if err != nil {
		return nil, err
	}
	owned.onClose(s.stop)
	return func(t testing.TB) redis.UniversalClient {
		return newClient(t, s.TLSAddr(), func(o *redis.Options) { o.TLSConfig = files.Config(t, true) })
	}, nil
}

func startContainer(image string) func() (connector, error) {
	return func() (connector, error) {
		c, err := newRedisContainer(context.Background(), image)
		if err != nil {
			return nil, err
		}
		owned.onClose(c.stop)
		return func(t testing.TB) redis.UniversalClient { return c.Client(t) }, nil
	}
}

func startCluster() (connector, error) {
	dir, err := owned.sharedDir()
	if err != nil {
		return nil, err
	}
	c, err := newCluster(context.Background(), dir, sharedPatience)
	if err != nil {
		return nil, err
	}
	owned.onClose(c.stop)
	return func(t testing.TB) redis.UniversalClient { return c.Client(t) }, nil
}

func startSentinel() (connector, error) {
	dir, err := owned.sharedDir()
	if err != nil {
		return nil, err
	}
	s, err := newSentinelSet(context.Background(), dir, sharedPatience)
	if err != nil {
		return nil, err
	}
	owned.onClose(s.stop)
	return func(t testing.TB) redis.UniversalClient { return s.Client(t) }, nil
}
