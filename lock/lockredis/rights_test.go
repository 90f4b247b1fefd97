package lockredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// The whole suite runs as a user who has the documented rights and no others.
func TestRights(t *testing.T) {
	server := testenv.Redis(t)
	rights := testenv.DocumentedRights(t, "doc.go", "case*")[0] // each case has a namespace
	client := server.Restricted(t, rights)
	suite(t, client, lockredis.FIFO)
	t.Run("Simple", func(t *testing.T) {
		l := open(t, client, lockredis.Options{Engine: lockredis.Simple, Namespace: "cases"})
		release(t, acquire(t, l, "one", lock.Request{}))
	})
	t.Run("AnotherNamespace", func(t *testing.T) {
		l := open(t, client, lockredis.Options{Namespace: "other"})
		if _, err := l.TryAcquire(t.Context(), "one", lock.Request{}); !redis.HasErrorPrefix(err, "NOPERM") {
			t.Errorf("got %v, want NOPERM", err)
		}
	})
}
