package testenv_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestRabbitMQ(t *testing.T) {
	begin := time.Now()
	r := testenv.RabbitMQ(t)
	t.Logf("started in %v", time.Since(begin))
	r.Ctl(t, "add_vhost", "kept")
	begin = time.Now()
	r.Restart(t)
	t.Logf("restarted in %v", time.Since(begin))
	if got := r.Ctl(t, "list_vhosts"); !strings.Contains(got, "kept") {
		t.Errorf("virtual hosts after a restart: %s", got)
	}
}

func TestRabbitCluster(t *testing.T) {
	size := 2
	if testenv.Long() {
		size = 3
	}
	begin := time.Now()
	set := testenv.RabbitCluster(t, size)
	t.Logf("started in %v", time.Since(begin))
	status := set.Nodes[0].Ctl(t, "cluster_status")
	for _, n := range set.Nodes {
		if !strings.Contains(status, n.Node()) {
			t.Errorf("%s is missing: %s", n.Node(), status)
		}
	}
	set.Nodes[0].Kill()
	if got := set.Nodes[1].Ctl(t, "cluster_status"); strings.Count(got, set.Nodes[0].Node()) >= strings.Count(status, set.Nodes[0].Node()) {
		t.Errorf("the dead node still runs: %s", got)
	}
	set.Nodes[0].Restart(t)
}
