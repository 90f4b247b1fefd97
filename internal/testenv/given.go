package testenv

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Variables that name servers which exist already.
const (
	redisVariable  = "COHORT_TEST_REDIS_URL"
	rabbitVariable = "COHORT_TEST_RABBITMQ_URL"
)

// givenRedis returns a client of the server that COHORT_TEST_REDIS_URL names.
// Its database is emptied for each test.
func givenRedis(t *testing.T, url string) redis.UniversalClient {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatalf("testenv: %s is no URL of a Redis", redisVariable) // err would repeat a password
	}
	o.ContextTimeoutEnabled = true
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := client.FlushDB(ctx).Err(); err != nil {
		t.Fatalf("testenv: empty the database of %s: %v", redisVariable, err)
	}
	return client
}

// sharedRabbit starts the node that the tests of this binary share.
var sharedRabbit = sync.OnceValues(func() (*Rabbit, error) {
	dir, err := owned.sharedDir()
	if err != nil {
		return nil, err
	}
	s, err := newRabbitSet(dir, 1, nil, nil)
	if err != nil {
		return nil, err
	}
	owned.onClose(s.stop)
	return s.Nodes[0], nil
})

// RabbitURL names a RabbitMQ that the tests of this binary share, and where
// other tests leave things behind: the one that COHORT_TEST_RABBITMQ_URL names,
// or one that is stopped at the end of [Main]. Tests that do it harm start one
// of their own by [RabbitMQ].
func RabbitURL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv(rabbitVariable); url != "" {
		return url
	}
	owned.check(t)
	r, err := sharedRabbit()
	if err != nil {
		unavailable(t, err)
	}
	return r.URL()
}
