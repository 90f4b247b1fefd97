package doctest

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestGoBlocksCompile builds every piece of Go in README and in the documentation
// of packages, each as a package of its own that exists only for the compiler.
// What a piece takes for granted stands in a file of testdata; a variable that it
// declares and leaves alone is not held against it.
func TestGoBlocksCompile(t *testing.T) {
	blocks := slices.DeleteFunc(documented(t), func(b block) bool { return !b.isGo() })
	if len(blocks) < 20 {
		t.Fatalf("only %d pieces of Go were found", len(blocks))
	}
	for _, complaint := range compile(t, root(t), blocks) {
		t.Error(complaint)
	}
}

// TestCompileFinds: what is wrong is reported with the line in the document.
func TestCompileFinds(t *testing.T) {
	const readme = "# A\n\n```go\nids, err := snowflake.New(1)\n```\n\n1. B\n\n   ```go\n   func f() {\n   \treturn 1\n   }\n   ```\n" +
		"```go\nx := )\n```\n```go\nn := len(\"unused\")\n```\n"
	got := compile(t, root(t), markdown("A.md", readme))
	for _, want := range []string{"A.md:15:", "A.md:4:", "A.md:11:"} {
		if !slices.ContainsFunc(got, func(line string) bool { return strings.Contains(line, want) }) {
			t.Errorf("%q lacks %s", got, want)
		}
	}
	if len(got) != 3 {
		t.Errorf("%q has more than is wrong", got)
	}
}

// isGo reports whether the block is meant to be Go: it says so, or its text does.
func (b block) isGo() bool {
	if strings.HasSuffix(b.file, ".md") {
		return b.language == "go"
	}
	return strings.Contains(b.text, ":= ") || strings.HasPrefix(b.text, "func ")
}

// compile returns what the compiler has against blocks, each complaint with its
// place in the document.
func compile(t *testing.T, dir string, blocks []block) (complaints []string) {
	t.Helper()
	imports := importPaths(t, dir)
	const base = "internal/doctest/blocks"
	overlay, scratch := map[string]string{}, t.TempDir()
	add := func(pkg, file string, text []byte) {
		name := filepath.Join(scratch, pkg+"-"+file)
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(dir, base, pkg, file)] = name
	}
	for i, b := range blocks {
		text, main, err := b.source(dir, imports)
		if err != nil {
			complaints = append(complaints, err.Error())
			continue
		}
		pkg := fmt.Sprintf("b%d", i)
		add(pkg, "block.go", text)
		if !main {
			add(pkg, "given.go", b.given(t))
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(config, list, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-gcflags=-e", "-overlay", config, "./"+base+"/...")
	build.Dir = dir
	out, err := build.CombinedOutput()
	var said []string
	for line := range strings.Lines(string(out)) {
		switch {
		case strings.HasPrefix(line, "#"): // a package
		case strings.HasPrefix(line, "\t") && len(said) > 0: // more of the same
			said[len(said)-1] += "; " + strings.TrimSpace(line)
		default:
			said = append(said, strings.TrimSpace(line))
		}
	}
	if err != nil && len(said) == 0 {
		said = append(said, err.Error())
	}
	for _, complaint := range said {
		if !strings.Contains(complaint, "declared and not used: ") {
			complaints = append(complaints, complaint)
		}
	}
	return complaints
}

// given declares what the document's blocks take for granted.
func (b block) given(t *testing.T) []byte {
	t.Helper()
	name := path.Base(path.Dir(b.file))
	if strings.HasSuffix(b.file, ".md") {
		name = strings.TrimSuffix(path.Base(b.file), ".md")
	}
	text, err := os.ReadFile(filepath.Join("testdata", name+".go.txt"))
	if err != nil {
		text, err = os.ReadFile(filepath.Join("testdata", "default.go.txt"))
	}
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// declares matches pieces that stand outside functions.
var declares = regexp.MustCompile(`^(func|type|var|const)\b`)

// source is the block as a file of Go; main says that it is a whole program.
func (b block) source(dir string, imports map[string]string) (text []byte, main bool, err error) {
	place := fmt.Sprintf("//line %s:%d\n", filepath.Join(dir, b.file), b.line)
	if strings.HasPrefix(b.text, "package ") {
		return []byte(place + b.text), true, nil
	}
	body := place + b.text
	if !declares.MatchString(b.text) {
		body = "func _(ctx context.Context) error {\n" + body + "\nreturn nil\n}\n"
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", "package block\n"+body, parser.SkipObjectResolution)
	if err != nil {
		return nil, false, errors.New(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""))
	}
	return []byte("package block\n" + importsOf(f, imports) + body), false, nil
}

// importsOf are the import clauses of the packages that a file names.
func importsOf(f *ast.File, imports map[string]string) string {
	used := map[string]bool{"context": true}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && imports[x.Name] != "" {
				used[x.Name] = true
			}
		}
		return true
	})
	var clauses strings.Builder
	for _, name := range slices.Sorted(maps.Keys(used)) {
		fmt.Fprintf(&clauses, "import %q\n", imports[name])
	}
	clauses.WriteString("var _ context.Context\n")
	return clauses.String()
}

// importPaths are the packages that a block may name: those of this module, and
// what their users know.
func importPaths(t *testing.T, dir string) map[string]string {
	t.Helper()
	paths := map[string]string{"redis": "github.com/redis/go-redis/v9"}
	for _, std := range []string{"context", "errors", "fmt", "log", "log/slog", "net/http", "os", "testing", "time"} {
		paths[path.Base(std)] = std
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-f", "{{if ne .Name \"main\"}}{{.Name}} {{.ImportPath}}{{end}}", "./...")
	list.Dir = dir
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if name, importPath, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			paths[name] = importPath
		}
	}
	return paths
}
