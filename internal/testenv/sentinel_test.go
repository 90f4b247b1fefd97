package testenv_test

import (
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestSentinel(t *testing.T) {
	begin := time.Now()
	set := testenv.Sentinel(t)
	t.Logf("started in %v", time.Since(begin))
	c := set.Client(t)
	if err := c.Set(t.Context(), "k", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Wait(t.Context(), 2, 5*time.Second).Result(); n != 2 || err != nil {
		t.Fatalf("on %d replicas, %v", n, err)
	}

	first := set.Master(t)
	if first != set.Nodes[0] {
		t.Errorf("the first master is %s", first.Addr())
	}
	begin = time.Now()
	set.Failover(t)
	t.Logf("asked failover in %v", time.Since(begin))
	second := set.Master(t)
	if second == first {
		t.Fatal("the master is the same after a failover")
	}

	begin = time.Now()
	second.Kill()
	set.AwaitOther(t, second)
	t.Logf("failover after a death in %v", time.Since(begin))
	if n, err := set.Client(t).Get(t.Context(), "k").Int(); n != 1 || err != nil {
		t.Errorf("the key is %d, %v", n, err)
	}
	second.Restart(t)
	begin = time.Now()
	set.Await(t)
	t.Logf("the dead is back in %v", time.Since(begin))
}

func TestSentinelFailoverLosesWrites(t *testing.T) {
	set := testenv.Sentinel(t)
	c := set.Client(t)
	if err := c.Set(t.Context(), "before", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Wait(t.Context(), 2, 5*time.Second).Result(); n != 2 || err != nil {
		t.Fatalf("on %d replicas, %v", n, err)
	}
	set.FailoverLosing(t, func() {
		if err := c.Set(t.Context(), "within", 1, 0).Err(); err != nil {
			t.Error(err)
		}
	})
	for key, want := range map[string]int64{"before": 1, "within": 0} {
		if n, err := set.Client(t).Exists(t.Context(), key).Result(); n != want || err != nil {
			t.Errorf("key written %s: %d, %v", key, n, err)
		}
	}
}
