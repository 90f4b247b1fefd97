package testenv_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestRedisCluster(t *testing.T) {
	begin := time.Now()
	cluster := testenv.RedisCluster(t)
	t.Logf("started in %v", time.Since(begin))
	c := cluster.Client(t)
	for i := range 100 {
		if err := c.Set(t.Context(), fmt.Sprint(i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	old := cluster.Master(t, "1")
	begin = time.Now()
	old.Kill()
	cluster.Await(t)
	t.Logf("replica took over in %v", time.Since(begin))
	if n := cluster.Master(t, "1"); n == nil || n == old {
		t.Errorf("the master is still %s", old.Addr())
	}
	old.Restart(t)
	cluster.Await(t)
	if n, err := cluster.Client(t).Get(t.Context(), "1").Int(); n != 1 || err != nil {
		t.Errorf("the key is %d, %v", n, err)
	}
}
