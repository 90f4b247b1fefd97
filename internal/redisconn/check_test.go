package redisconn_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
)

// closing closes c at the end of t.
func closing[C redis.UniversalClient](t *testing.T, c C) C {
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestCheck(t *testing.T) {
	cluster := func(opt redis.ClusterOptions) redis.UniversalClient {
		opt.Addrs = []string{"127.0.0.1:1"}
		return closing(t, redis.NewClusterClient(&opt))
	}
	failover := &redis.FailoverOptions{MasterName: "m", SentinelAddrs: []string{"127.0.0.1:1"}}
	tests := []struct {
		name    string
		client  redis.UniversalClient
		refused bool
	}{
		{"standalone", closing(t, redis.NewClient(&redis.Options{})), false},
		{"sentinel", closing(t, redis.NewFailoverClient(failover)), false},
		{"cluster", cluster(redis.ClusterOptions{}), false},
		{"nil", nil, true},
		{"nil client", (*redis.Client)(nil), true},
		{"nil cluster client", (*redis.ClusterClient)(nil), true},
		{"nil ring", (*redis.Ring)(nil), true},
		{"ring", closing(t, redis.NewRing(&redis.RingOptions{})), true},
		{"cluster with replicas", cluster(redis.ClusterOptions{ReadOnly: true}), true},
		{"cluster by latency", cluster(redis.ClusterOptions{RouteByLatency: true}), true},
		{"cluster at random", cluster(redis.ClusterOptions{RouteRandomly: true}), true},
		{"unknown type", struct{ redis.UniversalClient }{}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := redisconn.Check(tt.client)
			_, typed := errors.AsType[*redisconn.UnsupportedClientError](err)
			if typed != tt.refused || (err == nil) == tt.refused {
				t.Errorf("got %v", err)
			}
			own, err := redisconn.Clone(tt.client, nil)
			if (err != nil) != tt.refused {
				t.Errorf("Clone: got %v", err)
			}
			if err == nil {
				_ = own.Close()
			}
		})
	}
}

func TestHonoursDeadlines(t *testing.T) {
	for _, on := range []bool{false, true} {
		for _, c := range []redis.UniversalClient{
			closing(t, redis.NewClient(&redis.Options{ContextTimeoutEnabled: on})),
			closing(t, redis.NewClusterClient(&redis.ClusterOptions{ContextTimeoutEnabled: on})),
		} {
			t.Run(fmt.Sprintf("%T %v", c, on), func(t *testing.T) {
				if got := redisconn.HonoursDeadlines(c); got != on {
					t.Errorf("got %v", got)
				}
				_, cluster := c.(*redis.ClusterClient)
				if got := redisconn.IsCluster(c); got != cluster {
					t.Errorf("IsCluster is %v", got)
				}
			})
		}
	}
}
