package cohort_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
)

// A tool that looks at a cluster takes no number, changes nothing, and may be
// configured otherwise than the nodes.
func TestToolOnlyLooks(t *testing.T) {
	server := testenv.Redis(t)
	node := open(t, cohort.Options{Getenv: onRedis(server.URL()), Fresh: true})
	q, err := node.Queue("mail")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
		t.Fatal(err)
	}
	before := keys(t, server)

	tool := open(t, cohort.Options{
		Getenv: env("REDIS_URL", server.URL(), "QUEUE_ADAPTER", "redis", "LOCK_ADAPTER_DEFAULT", "local"), NoWorker: true,
	})
	holders, err := tool.Numbers().Holders(t.Context())
	if err != nil || len(holders) != 1 || holders[0].ID != node.Worker().ID() {
		t.Errorf("holders: %+v, %v", holders, err)
	}
	if names, err := tool.QueueNames(t.Context()); err != nil || !slices.Equal(names, []string{"mail"}) {
		t.Errorf("queues: %q, %v", names, err)
	}
	if tool.Worker() != nil || tool.IDs() != nil {
		t.Error("has a worker number")
	}
	if _, ok := node.Store().(cache.Lister); !ok {
		t.Errorf("%T does not list its keys", node.Store())
	}
	if err := tool.Close(context.Background()); err != nil {
		t.Error(err)
	}
	for _, key := range keys(t, server) {
		// The node's cache begins to follow its log in the background.
		if !slices.Contains(before, key) && !strings.HasPrefix(key, "cohort:cache:") {
			t.Errorf("key %s is new", key)
		}
	}
}

func keys(t *testing.T, server *testenv.Server) []string {
	t.Helper()
	all, err := server.Client(t).Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	return all
}
