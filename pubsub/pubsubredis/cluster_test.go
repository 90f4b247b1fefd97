package pubsubredis_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// After the master of the bus died, signals flow again soon after a replica took
// over, and nothing is lost without notice.
func TestTimingClusterMasterKilled(t *testing.T) {
	testenv.Timing(t)
	cluster := testenv.RedisCluster(t)
	client := cluster.Client(t)
	reader, writer := node(t, client, pubsubredis.Options{}), node(t, client, pubsubredis.Options{})
	got := observe(t, reader, "c", pubsub.SubscribeOptions{})
	publish(t, writer, "c", "before")
	got.want(t, "before")

	streams, _ := busKeys(t, client, "main", 1)
	cluster.Master(t, streams[0]).Kill()
	cluster.Await(t)
	recovered := time.Now()
	eventually(t, "publishing works", func() bool {
		_, err := writer.Publish(t.Context(), pubsub.Message{Channel: "c", Payload: []byte("after")})
		return err == nil
	})
	published := time.Since(recovered)
	got.await(t, patience, func(log []string) bool {
		return slices.Contains(log, "after") || strings.HasPrefix(log[len(log)-1], "gap")
	})
	handled := time.Since(recovered)
	t.Logf("after the cluster recovered: published within %v, handled within %v", published, handled)
	if handled > 2*time.Second {
		t.Errorf("want at most 2s")
	}
}
