package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// write makes the files below a new folder.
func write(t *testing.T, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// foreign are modules of others, as far as the synthetic module needs them.
var foreign = []string{
	"github.com/redis/go-redis/v9", "github.com/rabbitmq/amqp091-go", "go.opentelemetry.io/otel", "go.opentelemetry.io/otel/sdk",
	"github.com/bsm/redislock", "github.com/maypok86/otter/v2", "pgregory.net/rapid", "github.com/alicebob/miniredis/v2",
}

// syntheticModule returns a module with this module's path in which each package
// imports what is listed for it.
func syntheticModule(t *testing.T, imports map[string][]string) (dir string) {
	t.Helper()
	gomod := "module " + module + "\n\ngo 1.26\n"
	files := make(map[string]string)
	for _, m := range foreign {
		gomod += "require " + m + " " + version(m) + "\nreplace " + m + " => ./.foreign/" + m + "\n"
		files[".foreign/"+m+"/go.mod"] = "module " + m + "\n\ngo 1.26\n"
		files[".foreign/"+m+"/foreign.go"] = "package foreign\n"
	}
	files["go.mod"] = gomod
	for name, list := range imports {
		text := "package p\n"
		for _, imp := range list {
			if areaOf(imp) != "" || strings.HasPrefix(imp, "internal/") {
				imp = module + "/" + imp
			}
			text += "import _ \"" + imp + "\"\n"
		}
		files[name+"/p.go"] = text
	}
	return write(t, files)
}

// version is one that a module of this path may have.
func version(m string) string {
	if major := path.Base(m); major[0] == 'v' && strings.Trim(major[1:], "0123456789") == "" {
		return major + ".0.0"
	}
	return "v0.0.0"
}

func TestLinksAreCaught(t *testing.T) {
	b := list(t, syntheticModule(t, map[string][]string{
		// allowed
		"lock":                {"time", "internal/backoff"},
		"internal/backoff":    nil,
		"internal/redisconn":  {"github.com/redis/go-redis/v9"},
		"internal/testenv":    {"testing", "github.com/alicebob/miniredis/v2"},
		"internal/embedded":   {"github.com/alicebob/miniredis/v2"},
		"lock/lockredis":      {"lock", "internal/redisconn", "github.com/bsm/redislock"},
		"lock/locktest":       {"lock", "testing"},
		"cache":               {"github.com/maypok86/otter/v2"},
		"cache/cachetest":     {"cache"},
		"cache/cacheotel":     {"cache", "go.opentelemetry.io/otel"},
		"workerid":            nil,
		"snowflake":           {"workerid"},
		"queue/queuerabbit":   {"queue", "github.com/rabbitmq/amqp091-go"},
		"examples/cluster":    {"lock/lockredis", "internal/embedded"},
		"examples/quickstart": {"lock", "cache"},
		// not allowed
		"queue":                 {"lock", "internal/redisconn"},
		"pubsub":                {"github.com/maypok86/otter/v2", "go.opentelemetry.io/otel"},
		"pubsub/pubsubredis":    {"pubsub", "github.com/bsm/redislock"},
		"pubsub/pubsubtest":     {"pubsub", "pubsub/pubsubredis", "pgregory.net/rapid"},
		"queue/queueredis":      {"queue/queuerabbit"},
		"queue/queueother":      nil,
		"internal/lifecycle":    {"workerid"},
		"internal/health":       {"internal/testenv", "internal/embedded", "lock/locktest"},
		"workerid/workeridtest": {"workerid", "snowflake"},
		"workerid/workeridkeys": {"net/http/httptest"},
		"examples/idbench":      {"testing"},
		"examples/leader":       {"cache/cacheotel"},
		"lock/lockotel":         {"lock", "go.opentelemetry.io/otel/sdk"},
		"examples/quickstart/b": nil,
	}))
	var got []string
	for _, p := range append(links(b), testImports(b)...) {
		what, _, _ := strings.Cut(p, ": ")
		got = append(got, strings.TrimSuffix(what, ", which is for tests"))
	}
	want := []string{
		"internal/health imports internal/embedded", "internal/health imports internal/testenv",
		"internal/health imports lock/locktest", "internal/health links lock", "internal/health links lock/locktest",
		"internal/lifecycle links workerid",
		"examples/idbench imports testing",
		"examples/leader links go.opentelemetry.io/otel",
		"lock/lockotel links go.opentelemetry.io/otel/sdk",
		"pubsub links github.com/maypok86/otter/v2", "pubsub links go.opentelemetry.io/otel",
		"pubsub/pubsubredis links github.com/bsm/redislock",
		"pubsub/pubsubredis links github.com/maypok86/otter/v2", "pubsub/pubsubredis links go.opentelemetry.io/otel",
		"pubsub/pubsubtest imports pgregory.net/rapid",
		"pubsub/pubsubtest links github.com/bsm/redislock", "pubsub/pubsubtest links github.com/maypok86/otter/v2",
		"pubsub/pubsubtest links go.opentelemetry.io/otel", "pubsub/pubsubtest links pgregory.net/rapid",
		"pubsub/pubsubtest links pubsub/pubsubredis",
		"queue links github.com/redis/go-redis/v9", "queue links lock",
		"queue/queuerabbit links github.com/redis/go-redis/v9", "queue/queuerabbit links lock",
		"queue/queueredis links github.com/rabbitmq/amqp091-go", "queue/queueredis links lock",
		"queue/queueredis links queue/queuerabbit",
		"workerid/workeridkeys imports net/http/httptest",
		"workerid/workeridtest links snowflake",
	}
	compare(t, got, want)
}

func TestQuickstartLinksNoClient(t *testing.T) {
	if forbids("examples/quickstart", "github.com/redis/go-redis/v9") == "" {
		t.Error("go-redis is let through")
	}
	if forbids("examples/quickstart", "go.opentelemetry.io/otel") == "" {
		t.Error("OpenTelemetry is let through")
	}
	if forbids("queue/queueother", "github.com/redis/go-redis/v9") == "" {
		t.Error("a package without a rule is let through")
	}
}

func TestSourceIsCaught(t *testing.T) {
	tests := []struct {
		text string
		want string // part of the problem, "" means allowed
	}{
		{`var ErrHeld = errors.New("held")`, ""},
		{`var _ io.Reader = (*T)(nil)`, ""},
		{`var re = regexp.MustCompile("x")`, ""},
		{"//go:embed a.lua\nvar text string", ""},
		{`var table = map[string]int{"a": 1}; func f() int { return table["a"] }`, ""},
		{`var pause = backoff.Policy{Base: 1}`, ""},
		{`var acquire = script.New(text)`, ""},
		{`var base = 1; `, "neither a sentinel nor a table"},
		{`var count int`, "no initial value"},
		{`var hook = func() {}`, "neither a sentinel nor a table"},
		{`var now = time.Now()`, "time.Now"},
		{`var Table = []int{1}`, "exported"},
		{`var Re = regexp.MustCompile("x")`, "exported"},
		{`var mu = sync.Mutex{}`, "methods that change it"},
		{`var all = &registry{}`, "neither a sentinel nor a table"},
		{`var all = registry{}; type registry struct{}; func (*registry) add() {}`, "methods that change it"},
		{`var table = []int{1}; func f() { table[0] = 2 }`, "changed"},
		{`var table = []int{1}; func f() { table = nil }`, "changed"},
		{`var opts = T{}; func f() { opts.x++ }`, "changed"},
		{`var opts = T{}; func f() *T { return &opts }`, "lent out"},
		{`var table = map[int]int{}; func f() { delete(table, 1) }`, "changed"},
		{`var table = []int{1}; func f() { table := []int{2}; table[0] = 3 }`, ""},
		{`var ErrX = errors.New("x"); func f() { ErrX = nil }`, "changed"},
		{`func init() {}`, "init"},
		{`func (T) init() {}`, ""},
		{`func f() { panic("x") }`, "panic"},
		{`func f() { go func() { panic("x") }() }`, "panic"},
		{`func MustF() { panic("x") }`, ""},
		{`func f(panic func(string)) { panic("x") }`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, "p.go", "package p\n"+tt.text, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			s := source{fset, []*ast.File{f}}
			got := strings.Join(append(checkFuncs(s), checkVars(s)...), "\n")
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestChangeInAnotherFileIsCaught(t *testing.T) {
	p := parse(t, write(t, map[string]string{
		"lock/table.go":      "package lock\nvar table = []int{1}",
		"lock/other.go":      "package lock\nfunc f() { table[0]++ }",
		"lock/table_test.go": "package lock\nvar state int",
	}))["lock"]
	if got := checkVars(p); len(got) != 1 || !strings.Contains(got[0], "table") {
		t.Errorf("got %v", got)
	}
}

func TestLayoutIsCaught(t *testing.T) {
	dir := write(t, map[string]string{
		"cohort.go":                     "package cohort",
		"lock/lock.go":                  "package lock" + strings.Repeat("\n", maxLines),
		"lock/lockredis/acquire.go":     "package lockredis",
		"lock/testdata/any/utils.go":    "package any",
		".ci/common.go":                 "package ci",
		"pkg/x.go":                      "package pkg",
		"queue/redisqueue/queue.go":     "package redisqueue",
		"queue/helpers_test.go":         "package queue",
		"internal/common/a.go":          "package common",
		"queue/long.go":                 "package queue" + strings.Repeat("\n", maxLines+1),
		"internal/peerbench/manager.go": "package main",
	})
	got, err := checkLayout(dir)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got, []string{
		"internal/common: the name says nothing",
		"pkg: not a folder of this module's layout",
		"queue/helpers_test.go: the name says nothing",
		"queue/long.go has 401 lines, more than 400",
		"queue/redisqueue: a package of an area is named after it",
	})
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("not expected: %s", g)
		}
	}
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("not caught: %s", w)
		}
	}
}
