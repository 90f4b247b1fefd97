package redisconn_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
)

func TestCloneIsIndependent(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireUserAuth("app", "secret")
	c := redis.NewClient(&redis.Options{Addr: server.Addr(), Username: "app", Password: "secret", DB: 3})
	defer c.Close()
	own, err := redisconn.Clone(c, func(s *redisconn.Settings) { s.PoolSize = 1; s.ContextTimeoutEnabled = true })
	if err != nil {
		t.Fatal(err)
	}
	if err := own.Set(t.Context(), "k", "v", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Get(t.Context(), "k").Result(); v != "v" || err != nil {
		t.Errorf("the clone wrote elsewhere: got %q, %v", v, err)
	}
	if !redisconn.HonoursDeadlines(own) || redisconn.HonoursDeadlines(c) {
		t.Error("the change was not made, or was made to the original")
	}
	if err := own.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("after the clone was closed: %v", err)
	}
}

func TestCloneOfEveryKind(t *testing.T) {
	testenv.EachRedis(t, func(t *testing.T, c redis.UniversalClient) {
		if err := clone(t, c).Set(t.Context(), "k", "v", 0).Err(); err != nil {
			t.Fatal(err)
		}
		if v, err := c.Get(t.Context(), "k").Result(); v != "v" || err != nil {
			t.Errorf("got %q, %v", v, err)
		}
	})
}

// TestCloneKeepsSettings guards against go-redis reading its own normalized
// options differently from those that a user gave.
func TestCloneKeepsSettings(t *testing.T) {
	for _, d := range []time.Duration{-2, -1, 0, time.Second} {
		none := max(d, -1)
		retries := int(none) % 5
		c := closing(t, redis.NewClient(&redis.Options{
			ReadTimeout: d, WriteTimeout: d, MaxRetries: retries, MinRetryBackoff: none, MaxRetryBackoff: none,
		}))
		got, want := clone(t, c).(*redis.Client).Options(), c.Options()
		if got.ReadTimeout != want.ReadTimeout || got.WriteTimeout != want.WriteTimeout ||
			got.MaxRetries != want.MaxRetries || got.PoolSize != want.PoolSize ||
			got.MinRetryBackoff != want.MinRetryBackoff || got.MaxRetryBackoff != want.MaxRetryBackoff {
			t.Errorf("timeouts of %v became %v", d, got.ReadTimeout)
		}
		cluster := closing(t, redis.NewClusterClient(&redis.ClusterOptions{
			ReadTimeout: none, WriteTimeout: none, MaxRedirects: retries, MinRetryBackoff: none, MaxRetryBackoff: none,
		}))
		gotCluster, wantCluster := clone(t, cluster).(*redis.ClusterClient).Options(), cluster.Options()
		if gotCluster.ReadTimeout != wantCluster.ReadTimeout || gotCluster.WriteTimeout != wantCluster.WriteTimeout ||
			gotCluster.MaxRedirects != wantCluster.MaxRedirects || gotCluster.PoolSize != wantCluster.PoolSize ||
			gotCluster.MinRetryBackoff != wantCluster.MinRetryBackoff || gotCluster.MaxRetryBackoff != wantCluster.MaxRetryBackoff {
			t.Errorf("a cluster's timeouts of %v became %v", none, gotCluster.ReadTimeout)
		}
	}
}

func clone(t *testing.T, c redis.UniversalClient) redis.UniversalClient {
	t.Helper()
	own, err := redisconn.Clone(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return closing(t, own)
}

// A client writes to its options while it connects; a clone made meanwhile must
// not read them (the race detector notices).
func TestCloneOfAClientThatConnects(t *testing.T) {
	server := miniredis.RunT(t)
	for range 20 {
		c := closing(t, redis.NewClient(&redis.Options{Addr: server.Addr()}))
		connected := make(chan error, 1)
		go func() { connected <- c.Ping(t.Context()).Err() }()
		own := clone(t, c)
		if err := <-connected; err != nil {
			t.Fatal(err)
		}
		if err := own.Ping(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
	}
}
