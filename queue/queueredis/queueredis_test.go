package queueredis_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/queue/queuetest"
)

func TestMain(m *testing.M) { testenv.Main(m, children()) }

// newHarness returns a harness on a queue of its own.
func newHarness(client redis.UniversalClient) func(t *testing.T) queuetest.Harness {
	var n atomic.Int64
	return func(*testing.T) queuetest.Harness {
		name := fmt.Sprintf("q{%d}", n.Add(1))
		return queuetest.Harness{Open: func(t testing.TB, opts queue.Options) queue.Queue {
			q, err := queueredis.New(client, name, queueredis.Options{Options: opts})
			if err != nil {
				t.Fatal(err)
			}
			return q
		}}
	}
}

func TestSuite(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, client redis.UniversalClient) {
		queuetest.Run(t, newHarness(client))
	})
}
