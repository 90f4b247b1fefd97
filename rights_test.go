package cohort_test

import (
	"bytes"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/testenv"
)

// TestRights: a node works, and warns of nothing, as a user who has the rights that
// its package and those of the areas document, and no others.
func TestRights(t *testing.T) {
	var rights testenv.Rights
	for _, file := range []string{
		"cohort.go", "workerid/workeridredis/doc.go", "pubsub/pubsubredis/doc.go", "lock/lockredis/doc.go",
		"cache/cacheredis/doc.go", "queue/queueredis/queueredis.go",
	} {
		rights = append(rights, slices.Concat(testenv.DocumentedRights(t, file, "shop")...)...)
	}
	server := testenv.Redis(t)
	server.Restricted(t, rights)
	var log bytes.Buffer
	url := strings.Replace(server.URL(), "redis://", "redis://app:secret@", 1)
	n := open(t, cohort.Options{
		Getenv: onRedis(url, "CLUSTER_NAMESPACE", "shop"), Fresh: true,
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	use(t, n)
	users, err := n.Cache("users")
	if err != nil {
		t.Fatal(err)
	}
	if err := users.Clear(t.Context()); err != nil {
		t.Error(err)
	}
	if names, err := n.QueueNames(t.Context()); err != nil || !slices.Equal(names, []string{"mail"}) {
		t.Errorf("the queues are %q, %v", names, err)
	}
	if err := n.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if log.Len() > 0 {
		t.Errorf("warnings: %s", log.String())
	}
	if _, err := cohort.Open(t.Context(), cohort.Options{Getenv: onRedis(url), Fresh: true}); err == nil {
		t.Error("the user can open a node in another namespace")
	}
}
