package pubsubredis_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
	"github.com/cohort-go/cohort/pubsub/pubsubtest"
)

// withRights is a client of a user who has the rights that the documentation
// lists, and those by which a client says who it is.
func withRights(t testing.TB, server *testenv.Server) *redis.Client {
	t.Helper()
	rule := []any{
		"ACL", "SETUSER", "app", "on", ">secret", "resetchannels", "~cohort:pubsub:*", "&cohort:pubsub:*",
		"-@all", "+hello", "+client|setinfo",
	}
	for _, command := range documentedCommands(t) {
		rule = append(rule, "+"+command)
	}
	if err := server.Client(t).Do(t.Context(), rule...).Err(); err != nil {
		t.Fatal(err)
	}
	return server.Client(t, func(o *redis.Options) { o.Username, o.Password = "app", "secret" })
}

// documentedCommands are the commands that the package comment lists, but for
// the one that Options.Tail needs.
func documentedCommands(t testing.TB) (list []string) {
	t.Helper()
	text, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rights, ok := strings.Cut(string(text), "// # Rights")
	if !ok {
		t.Fatal("doc.go has no section on rights")
	}
	for _, word := range regexp.MustCompile(`\b[A-Z]{3,}\b`).FindAllString(rights, -1) {
		if word != "ACL" && word != "XREAD" {
			list = append(list, strings.ToLower(word))
		}
	}
	return list
}

// Every promise holds for a user with these rights.
func TestSuiteWithRights(t *testing.T) {
	pubsubtest.Run(t, env(withRights(t, testenv.Redis(t)), pubsubredis.Options{}))
}
