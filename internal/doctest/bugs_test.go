package doctest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestBugs: every test in the list of bugs is there.
func TestBugs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "internal", "BUGS.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows, problems := bugs(root(t), string(text))
	if rows < 20 {
		t.Errorf("only %d bugs were found", rows)
	}
	for _, p := range problems {
		t.Error(p)
	}
}

// TestBugsFinds: a test that is not there is reported.
func TestBugsFinds(t *testing.T) {
	const table = "| a | b | test |\n|---|---|---|\n" +
		"| lock | a | `lock/locktest` Exclusive |\n| lock | b | `lock/locktest` Inclusive |\n" +
		"| . | c | `.` TestSharedPool |\n| . | d | `nowhere` TestSharedPool |\n| . | e | TestSharedPool |\n"
	rows, problems := bugs(root(t), table)
	want := []string{"lock/locktest has no Inclusive", "nowhere has no TestSharedPool", "no test in: | . | e | TestSharedPool |"}
	if rows != 5 || !slices.Equal(problems, want) {
		t.Errorf("got %d, %q, want %q", rows, problems, want)
	}
}

// reproduced matches the end of a row: a package, and a test or a case of a suite.
var reproduced = regexp.MustCompile("\\| `([^`]+)` (\\S+) \\|$")

// bugs returns the number of rows in a list of bugs, and what is wrong with them.
func bugs(dir, text string) (rows int, problems []string) {
	_, table, _ := strings.Cut(text, "\n|---")
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "| ") {
			continue
		}
		rows++
		found := reproduced.FindStringSubmatch(line)
		if found == nil {
			problems = append(problems, "no test in: "+line)
			continue
		}
		folder, name := found[1], found[2]
		if !slices.Contains(testsOf(filepath.Join(dir, folder)), name) && (strings.HasPrefix(name, "Test") || !mentions(dir, folder, name)) {
			problems = append(problems, fmt.Sprintf("%s has no %s", folder, name))
		}
	}
	return rows, problems
}
