package lockredis_test

import (
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// documented returns the rights that the package's documentation lists for the
// namespaces that begin with namespace.
func documented(t *testing.T, namespace string) (rights []any) {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(text), "restricted rights needs\n")
	list, _, found := strings.Cut(list, "+wait")
	if !found {
		t.Fatal("doc.go lists no rights")
	}
	for word := range strings.FieldsSeq(list) {
		if word != "//" {
			rights = append(rights, strings.ReplaceAll(word, "<namespace>", namespace+"*"))
		}
	}
	return rights
}

// The whole suite runs as a user who has the documented rights and no others.
func TestRights(t *testing.T) {
	server := testenv.Redis(t)
	args := append([]any{"ACL", "SETUSER", "locker", "on", ">secret", "resetchannels"}, documented(t, "case")...)
	if err := server.Client(t).Do(t.Context(), append(args, "+wait", "+scan")...).Err(); err != nil {
		t.Fatal(err)
	}
	locker := func(o *redis.Options) { o.Username, o.Password = "locker", "secret" }
	suite(t, server.Client(t, locker), lockredis.FIFO)
	t.Run("Simple", func(t *testing.T) {
		l := open(t, server.Client(t, locker), lockredis.Options{Engine: lockredis.Simple, Namespace: "cases"})
		release(t, acquire(t, l, "one", lock.Request{}))
	})
	t.Run("AnotherNamespace", func(t *testing.T) {
		l := open(t, server.Client(t, locker), lockredis.Options{Namespace: "other"})
		if _, err := l.TryAcquire(t.Context(), "one", lock.Request{}); !redis.HasErrorPrefix(err, "NOPERM") {
			t.Errorf("got %v, want NOPERM", err)
		}
	})
}
