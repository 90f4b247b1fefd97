package redisconn_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
)

// usable is how long a client may take to write again after its servers have
// recovered: twice the promised second, because other machines are slower.
const usable = 2 * time.Second

// lag disturbs the servers and returns how long after they had recovered c
// wrote again for one of the callers that keep coming. It is negative where c
// was faster than the look at the servers.
func lag(t *testing.T, c redis.UniversalClient, key string, disturb, recovered func()) time.Duration {
	t.Helper()
	write := func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		return redisconn.Retry(ctx, c, 0, func(ctx context.Context) error { return c.Incr(ctx, key).Err() })
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	disturb()
	wrote := make(chan time.Time, 1)
	go func() {
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
			if write() == nil {
				break
			}
		}
		wrote <- time.Now()
	}()
	recovered()
	back := time.Now()
	return (<-wrote).Sub(back).Round(time.Millisecond)
}

func TestTimingClusterFailover(t *testing.T) {
	testenv.Timing(t)
	own := func(t *testing.T, cluster *testenv.Cluster) redis.UniversalClient {
		return open(t, redisconn.NewPools(), cluster.URL()).Client()
	}
	borrowed := func(t *testing.T, cluster *testenv.Cluster) redis.UniversalClient {
		return closing(t, redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()}))
	}
	cluster := testenv.RedisCluster(t)
	// A borrowed client may ask the frozen node for the slots, and waits for as
	// long as its ReadTimeout says; only its death is noticed sooner.
	for _, tt := range []struct {
		name        string
		open        func(t *testing.T, cluster *testenv.Cluster) redis.UniversalClient
		fault, undo func(s *testenv.Server)
	}{
		{"own, killed", own, (*testenv.Server).Kill, func(s *testenv.Server) { s.Restart(t) }},
		{"own, frozen", own, (*testenv.Server).Freeze, (*testenv.Server).Thaw},
		{"borrowed, killed", borrowed, (*testenv.Server).Kill, func(s *testenv.Server) { s.Restart(t) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for range 3 {
				cluster.Await(t)
				master := cluster.Master(t, "k")
				got := lag(t, tt.open(t, cluster), "k", func() { tt.fault(master) }, func() { cluster.Await(t) })
				t.Logf("wrote %v after the replica was elected", got)
				if got > usable {
					t.Errorf("that is later than %v", usable)
				}
				tt.undo(master)
			}
		})
	}
}

func TestTimingSentinelFailover(t *testing.T) {
	testenv.Timing(t)
	for _, fault := range []struct {
		name  string
		fault func(s *testenv.Server)
	}{
		{"killed", (*testenv.Server).Kill},
		{"frozen", (*testenv.Server).Freeze},
	} {
		t.Run(fault.name, func(t *testing.T) {
			set := testenv.Sentinel(t)
			master := set.Master(t)
			c := open(t, redisconn.NewPools(), set.URL()).Client()
			got := lag(t, c, "k", func() { fault.fault(master) }, func() { set.AwaitOther(t, master) })
			t.Logf("wrote %v after the sentinels had made another master", got)
			if got > usable {
				t.Errorf("that is later than %v", usable)
			}
		})
	}
}
