package workeridredis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/workerid/workeridredis"
	"github.com/cohort-go/cohort/workerid/workeridtest"
)

func TestSuite(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, client redis.UniversalClient) {
		workeridtest.Run(t, func(t *testing.T) workeridtest.Server { return suiteServer(t, client, client) })
	})
}

// suiteServer is a pool of its own; admin may delete its keys.
func suiteServer(t *testing.T, client, admin redis.UniversalClient) workeridtest.Server {
	t.Helper()
	b, err := workeridredis.NewBackend(client, workeridredis.Options{Pool: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	return workeridtest.Server{Backend: b, Elapse: time.Sleep, Lose: func() { flush(t, admin) }}
}

// flush deletes everything that the server has.
func flush(t *testing.T, client redis.UniversalClient) {
	t.Helper()
	all := func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() }
	var err error
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err = cluster.ForEachMaster(t.Context(), all)
	} else {
		err = client.FlushAll(t.Context()).Err()
	}
	if err != nil {
		t.Fatal(err)
	}
}
