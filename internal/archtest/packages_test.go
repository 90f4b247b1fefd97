// Package archtest holds the rules of this module that a compiler does not
// check: who may link what, what a package must not keep or do, and where files
// belong. Each rule also proves on a module of its own that it catches what it
// forbids.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// module is the path before every package of this module.
const module = "github.com/cohort-go/cohort"

// pkg is a package as the go command lists it.
type pkg struct {
	ImportPath string
	Imports    []string // by files that are not tests
	Deps       []string // all that it links
	Standard   bool
}

// rel is the path of p below the module; "." is its root.
func (p pkg) rel() string { return rel(p.ImportPath) }

func rel(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

func inModule(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

// build is the packages of the module in a folder, and which of all those that
// they link are of the standard library.
type build struct {
	packages []pkg
	standard map[string]bool
}

func list(t *testing.T, dir string) build {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", "./...")
	cmd.Dir = dir
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaint.String())
	}
	b := build{standard: map[string]bool{"C": true}}
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return b
		} else if err != nil {
			t.Fatal(err)
		}
		b.standard[p.ImportPath] = p.Standard
		if inModule(p.ImportPath) {
			b.packages = append(b.packages, p)
		}
	}
}

// root is the folder of this module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// report fails t with every problem.
func report(t *testing.T, problems []string) {
	t.Helper()
	for _, p := range problems {
		t.Error(p)
	}
}
