package lockredis_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
	"github.com/cohort-go/cohort/lock/locktest"
)

// backend returns the suite's view of an engine on a server.
func backend(client redis.UniversalClient, e lockredis.Engine, namespace string) locktest.Backend {
	var dead time.Duration
	if redisconn.IsCluster(client) {
		dead = 1500 * time.Millisecond
	}
	return locktest.Backend{
		DeadWaiter: dead,
		Unfair:     e == lockredis.Simple,
		New: func(t testing.TB) lock.Backend {
			t.Helper()
			b, err := lockredis.NewBackend(client, lockredis.Options{Engine: e, Namespace: namespace})
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
	}
}

func TestFIFO(t *testing.T) {
	testenv.EachRedis(t, func(t *testing.T, client redis.UniversalClient) { suite(t, client, lockredis.FIFO) })
}

func TestSimple(t *testing.T) {
	suite(t, testenv.Redis(t).Client(t), lockredis.Simple)
}

// suite runs locktest on one server, each case in a namespace of its own.
func suite(t *testing.T, client redis.UniversalClient, e lockredis.Engine) {
	var cases atomic.Int32
	locktest.Run(t, func(testing.TB) locktest.Backend {
		return backend(client, e, fmt.Sprint("case", cases.Add(1)))
	})
}
