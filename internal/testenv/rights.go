package testenv

import (
	"go/doc/comment"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Rights are rules of ACL SETUSER: keys (~), channels (&) and commands (+).
type Rights []string

// DocumentedRights returns what the documentation of a package, in the Go file
// with this name, lists under "Rights": a list for each block of code there, in
// which words that are no rules are remarks. The text <namespace> in a rule is
// replaced.
func DocumentedRights(t testing.TB, file, namespace string) (lists []Rights) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	under := false
	for _, part := range new(comment.Parser).Parse(f.Doc.Text()).Content {
		switch part := part.(type) {
		case *comment.Heading:
			text, _ := part.Text[0].(comment.Plain)
			under = text == "Rights"
		case *comment.Code:
			if under {
				lists = append(lists, rules(part.Text, namespace))
			}
		}
	}
	if len(lists) == 0 {
		t.Fatalf("%s lists no rights", file)
	}
	return lists
}

func rules(text, namespace string) (list Rights) {
	for word := range strings.FieldsSeq(text) {
		switch word[0] {
		case '~', '&', '+':
			list = append(list, strings.ReplaceAll(word, "<namespace>", namespace))
		}
	}
	return list
}

// Commands are those that the rights allow, in small letters.
func (r Rights) Commands() (names []string) {
	for _, rule := range r {
		if name, ok := strings.CutPrefix(rule, "+"); ok {
			names = append(names, name)
		}
	}
	return names
}

// Without returns the rights but for these commands.
func (r Rights) Without(commands ...string) Rights {
	return slices.DeleteFunc(slices.Clone(r), func(rule string) bool {
		return slices.Contains(commands, strings.TrimPrefix(rule, "+"))
	})
}

// Restricted returns a client of a user who has these rights, may say who it is,
// and may do nothing else. A server has one such user.
func (s *Server) Restricted(t testing.TB, rights Rights) *redis.Client {
	t.Helper()
	rule := []any{"ACL", "SETUSER", "app", "reset", "on", ">secret", "+hello", "+client|setinfo"}
	for _, r := range rights {
		rule = append(rule, r)
	}
	if err := s.Client(t).Do(t.Context(), rule...).Err(); err != nil {
		t.Fatal(err)
	}
	return s.Client(t, func(o *redis.Options) { o.Username, o.Password = "app", "secret" })
}

// AllUsed fails t for each command among the rights that the server has never
// carried out.
func (s *Server) AllUsed(t testing.TB, rights Rights) {
	t.Helper()
	stats, err := s.Client(t).Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range rights.Commands() {
		if !strings.Contains(stats, "cmdstat_"+name+":") {
			t.Errorf("the right to %s is not needed", name)
		}
	}
}
