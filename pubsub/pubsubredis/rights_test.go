package pubsubredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
	"github.com/cohort-go/cohort/pubsub/pubsubtest"
)

// withRights is a client of a user who has the rights that the documentation
// lists, but for the one that is needed with Options.Tail.
func withRights(t testing.TB, server *testenv.Server) *redis.Client {
	t.Helper()
	return server.Restricted(t, testenv.DocumentedRights(t, "doc.go", "cohort")[0].Without("xread"))
}

// Every promise holds for a user with these rights.
func TestSuiteWithRights(t *testing.T) {
	pubsubtest.Run(t, env(withRights(t, testenv.Redis(t)), pubsubredis.Options{}))
}
