package doctest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestCommandsNameWhatExists: the folders, files, flags, tests and variables in
// the commands of the documents are there.
func TestCommandsNameWhatExists(t *testing.T) {
	dir := root(t)
	lines := commands(t, dir)
	if len(lines) < 50 {
		t.Fatalf("only %d commands were found", len(lines))
	}
	for _, l := range lines {
		for _, problem := range l.problems(dir) {
			t.Errorf("%s:%d: `%s`: %s", l.file, l.line, l.text, problem)
		}
	}
}

// TestCommandsFinds: what does not exist is reported.
func TestCommandsFinds(t *testing.T) {
	for text, want := range map[string]string{
		"go run ./examples/quickstart":                             "",
		"go run ./examples/slowstart":                              "no folder examples/slowstart",
		"go run ./examples/idbench -goroutines 1,8":                "",
		"go run ./examples/idbench -threads 8":                     "no flag threads in examples/idbench",
		"REDIS_URI=redis://h go run ./examples/leader":             "nothing reads REDIS_URI",
		"go test ./workerid -run 'Simulation|Phantom' -v":          "no test Phantom in ./workerid",
		"go test ./workers":                                        "no folder workers",
		"cd internal/peerbench && go run . -area lock":             "",
		"cd internal/peerbench && go run . -area clocks":           "no area clocks in internal/peerbench",
		"docker compose -f examples/deploy/compose.yml up --build": "no file examples/deploy/compose.yml",
		".ci/jog":                  "no file .ci/jog",
		"curl localhost:9464/metr": "",
	} {
		if got := strings.Join(command{text: text}.problems(root(t)), "; "); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// command is one line for a shell in a document.
type command struct {
	file string
	line int
	text string
}

var (
	// isCommand matches what the documents tell people to type.
	isCommand = regexp.MustCompile(`^([A-Z_]+=\S* +)*(go (run|test) |cd |docker |kubectl |\.ci/)`)
	// span matches a piece of code within a line, which may go on in the next.
	span = regexp.MustCompile("`([^`]+)`")
)

// commands returns those in blocks of code, and in the text of Markdown.
func commands(t *testing.T, dir string) (found []command) {
	t.Helper()
	add := func(file string, line int, text string) {
		text, _, _ = strings.Cut(text, " #")
		text = strings.Join(strings.Fields(text), " ")
		if isCommand.MatchString(text) {
			found = append(found, command{file, line, text})
		}
	}
	for _, b := range documented(t) {
		for i, line := range strings.Split(b.text, "\n") {
			add(b.file, b.line+i, line)
		}
	}
	readme, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range span.FindAllSubmatchIndex(readme, -1) {
		text := string(readme[at[2]:at[3]])
		if !strings.Contains(text, "\n\n") { // else between two fences
			add("README.md", strings.Count(string(readme[:at[2]]), "\n")+1, text)
		}
	}
	return found
}

// peerbench is the folder of a module of its own.
const peerbench = "internal/peerbench"

// words splits a command at spaces outside of single quotes.
var words = regexp.MustCompile(`'[^']*'|[^\s']+`)

// problems says what c names that does not exist below dir.
func (c command) problems(dir string) (problems []string) {
	miss := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	text, at := c.text, "."
	if strings.HasPrefix(c.file, peerbench) { // a module of its own
		at = peerbench
	}
	if rest, ok := strings.CutPrefix(text, "cd "); ok {
		at, text, _ = strings.Cut(rest, " && ")
	}
	args := words.FindAllString(text, -1)
	for len(args) > 0 && strings.Contains(args[0], "=") {
		name, _, _ := strings.Cut(args[0], "=")
		if !mentions(dir, ".", name) {
			miss("nothing reads %s", name)
		}
		args = args[1:]
	}
	switch {
	case len(args) > 2 && args[0] == "go" && args[1] == "run":
		pkg := filepath.Join(at, args[2])
		if !isDir(dir, pkg) {
			miss("no folder %s", pkg)
			return problems
		}
		problems = append(problems, flagProblems(dir, pkg, args[3:])...)
	case len(args) > 1 && args[0] == "go" && args[1] == "test":
		problems = append(problems, testProblems(dir, args[2:])...)
	case len(args) > 3 && (args[0] == "docker" || args[0] == "kubectl"):
		if file := args[slices.Index(args, "-f")+1]; !exists(dir, file) {
			miss("no file %s", file)
		}
	case len(args) > 0 && strings.HasPrefix(args[0], ".ci/"):
		if !exists(dir, args[0]) {
			miss("no file %s", args[0])
		}
	}
	return problems
}

// flagProblems is problems for the arguments of a program.
func flagProblems(dir, pkg string, args []string) (problems []string) {
	previous := ""
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if flag, ok := strings.CutPrefix(arg, "-"); ok && !mentions(dir, pkg, flag) {
			problems = append(problems, fmt.Sprintf("no flag %s in %s", flag, pkg))
		}
		if previous == "-area" {
			for area := range strings.SplitSeq(arg, ",") {
				if !mentions(dir, pkg, area) {
					problems = append(problems, fmt.Sprintf("no area %s in %s", area, pkg))
				}
			}
		}
		previous = arg
	}
	return problems
}

// testProblems is problems for what follows "go test".
func testProblems(dir string, args []string) (problems []string) {
	packages := slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return !strings.HasPrefix(arg, "./") })
	for _, pkg := range packages {
		if pkg = filepath.Clean(strings.TrimSuffix(pkg, "...")); !isDir(dir, pkg) {
			return []string{"no folder " + pkg}
		}
	}
	i := slices.Index(args, "-run")
	if i < 0 || len(packages) != 1 || packages[0] == "./..." {
		return nil
	}
	first, _, _ := strings.Cut(strings.Trim(args[i+1], "'"), "/")
	tests := testsOf(filepath.Join(dir, packages[0]))
	for pattern := range strings.SplitSeq(first, "|") {
		if re, err := regexp.Compile(pattern); err != nil || !slices.ContainsFunc(tests, re.MatchString) {
			problems = append(problems, "no test "+pattern+" in "+packages[0])
		}
	}
	return problems
}

// testsOf are the names of the tests in a folder.
func testsOf(folder string) (names []string) {
	files, _ := filepath.Glob(filepath.Join(folder, "*_test.go"))
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			continue
		}
		for _, decl := range f.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil {
				names = append(names, fn.Name.Name)
			}
		}
	}
	return names
}

// mentions reports whether a source below folder has text as a literal.
func mentions(dir, folder, text string) (found bool) {
	literal := strconv.Quote(text)
	_ = filepath.WalkDir(filepath.Join(dir, folder), func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || found:
			return fs.SkipAll
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && len(d.Name()) > 1, d.Name() == "doctest":
			return fs.SkipDir
		case filepath.Ext(name) == ".go":
			source, _ := os.ReadFile(name)
			found = strings.Contains(string(source), literal)
		}
		return nil
	})
	return found
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func isDir(dir, name string) bool {
	info, err := os.Stat(filepath.Join(dir, name))
	return err == nil && info.IsDir()
}
