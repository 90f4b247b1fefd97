package archtest

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// Packages of other modules, by prefix, with what they link themselves.
var (
	goRedis = []string{
		"github.com/redis/go-redis/v9", "github.com/cespare/xxhash/v2", "github.com/dgryski/go-rendezvous",
		"github.com/zeebo/xxh3", "github.com/klauspost/cpuid/v2", "go.uber.org/atomic",
		"golang.org/x/sys/cpu",
	}
	amqp          = []string{"github.com/rabbitmq/amqp091-go"}
	openTelemetry = []string{"go.opentelemetry.io/", "github.com/go-logr/", "github.com/cespare/xxhash/v2"}
	// What records and exports is the application's choice.
	telemetrySDK = []string{"go.opentelemetry.io/otel/sdk", "go.opentelemetry.io/otel/exporters", "go.opentelemetry.io/contrib"}
)

// rule says what the packages whose path matches may link besides the standard
// library, themselves, what stands in internal, and, in a subfolder of an area,
// the area with what that may link.
type rule struct {
	packages string   // pattern for the path below the module
	module   []string // packages of this module
	external []string // packages of other modules, by prefix
}

// rules are tried in order; the first whose pattern matches decides.
var rules = []rule{
	{packages: "cache", external: []string{"github.com/maypok86/otter/v2", "github.com/cespare/xxhash/v2"}},
	{packages: "queue", external: []string{"github.com/netresearch/go-cron"}},
	{packages: "snowflake", module: []string{"workerid"}},
	{packages: "pubsub"},
	{packages: "lock"},
	{packages: "workerid"},

	{packages: "lock/lockredis", external: append([]string{"github.com/bsm/redislock"}, goRedis...)},
	{packages: "*/*redis", external: goRedis},
	{packages: "queue/queuerabbit", external: amqp},
	{packages: "*/*otel", external: openTelemetry},
	{packages: "*/*test"},
	{packages: "cache/*", external: []string{ // codecs
		"github.com/vmihailenco/", "github.com/fxamacker/cbor/v2", "github.com/x448/float16", "github.com/klauspost/compress",
	}},
}

// areas are the folders of the rules' first block.
var areas = []string{"cache", "queue", "snowflake", "pubsub", "lock", "workerid"}

// observed are the packages outside the areas that may link OpenTelemetry; testenv
// does because testcontainers does.
var observed = []string{"internal/instrument", "internal/oteltest", "internal/testenv", "internal/testenv/doctor", "examples/metrics"}

func areaOf(rel string) string {
	first, _, _ := strings.Cut(rel, "/")
	if slices.Contains(areas, first) {
		return first
	}
	return ""
}

func ruleFor(rel string) (rule, bool) {
	for _, r := range rules {
		if ok, _ := path.Match(r.packages, rel); ok {
			return r, true
		}
	}
	return rule{}, false
}

// links reports what the packages of b link against the rules.
func links(b build) (problems []string) {
	for _, p := range b.packages {
		for _, dep := range p.Deps {
			if b.standard[dep] {
				continue
			}
			if why := forbids(p.rel(), dep); why != "" {
				problems = append(problems, fmt.Sprintf("%s links %s: %s", p.rel(), rel(dep), why))
			}
		}
	}
	return problems
}

// forbids says why the package at path rel must not link dep, or "".
func forbids(from, dep string) string {
	area := areaOf(from)
	if area == "" {
		return forbidsOutside(from, dep)
	}
	r, ok := ruleFor(from)
	if !ok {
		return "no rule for a package of this name"
	}
	if hasPrefix(dep, telemetrySDK) {
		return "an area uses the API of OpenTelemetry alone"
	}
	own, _ := ruleFor(area)
	if inModule(dep) {
		to := rel(dep)
		if to == area || strings.HasPrefix(to, "internal/") || slices.Contains(slices.Concat(r.module, own.module), to) {
			return ""
		}
		return "an area's packages link their own area only"
	}
	if hasPrefix(dep, slices.Concat(r.external, own.external)) {
		return ""
	}
	return "not among the modules of " + r.packages
}

// forbidsOutside is forbids for packages that belong to no area.
func forbidsOutside(from, dep string) string {
	switch {
	case strings.HasPrefix(from, "internal/") && inModule(dep) && areaOf(rel(dep)) != "":
		return "internal packages serve the areas and link none"
	case hasPrefix(dep, openTelemetry[:1]) && !slices.Contains(observed, from):
		return "telemetry is the application's choice"
	case from == "examples/quickstart" && hasPrefix(dep, slices.Concat(goRedis[:1], amqp)):
		return "it shows that a memory-only program links no client"
	}
	return ""
}

func hasPrefix(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// testOnly are packages that only tests import, or the packages behind each.
var testOnly = []struct {
	imports string   // prefix
	by      []string // patterns of the packages whose other files may import it as well
}{
	{module + "/internal/testenv", []string{"internal/testenv/*"}},
	{module + "/internal/embedded", []string{"examples/*"}},
	{module + "/internal/oteltest", nil},
	{"github.com/alicebob/miniredis", []string{"internal/testenv", "internal/embedded"}},
	{"github.com/testcontainers/", []string{"internal/testenv"}},
	{"github.com/anishathalye/porcupine", nil},
	{"pgregory.net/rapid", nil},
	{"go.uber.org/goleak", []string{"internal/testenv"}},
	{"testing", []string{"*/*test", "internal/testenv"}},
	{"net/http/httptest", []string{"*/*test", "internal/testenv"}},
}

// testImports reports imports of test packages by files that are no tests.
func testImports(b build) (problems []string) {
	for _, p := range b.packages {
		for _, imp := range p.Imports {
			forbidden := inModule(imp) && areaOf(rel(imp)) != "" && strings.HasSuffix(imp, "test")
			for _, only := range testOnly {
				if imp == only.imports || strings.HasPrefix(imp, strings.TrimSuffix(only.imports, "/")+"/") {
					forbidden = !slices.ContainsFunc(only.by, func(pattern string) bool {
						ok, _ := path.Match(pattern, p.rel())
						return ok
					})
				}
			}
			if forbidden {
				problems = append(problems, fmt.Sprintf("%s imports %s, which is for tests", p.rel(), rel(imp)))
			}
		}
	}
	return problems
}

func TestImports(t *testing.T) {
	b := list(t, root(t))
	report(t, links(b))
	report(t, testImports(b))
}
