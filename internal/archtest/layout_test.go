package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// topLevel are the folders beside those of the areas and hidden ones.
var topLevel = []string{"internal", "examples"}

// vague names say that something was put down where there was room.
var vague = []string{"util", "utils", "common", "helper", "helpers", "types", "manager", "misc"}

// maxLines is the length of the longest source file.
const maxLines = 400

// checkLayout reports folders and files out of place below dir.
func checkLayout(dir string) (problems []string, err error) {
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || rel == "." {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if skipped(rel) {
				return fs.SkipDir
			}
			problems = append(problems, checkFolder(rel)...)
			return nil
		}
		if path.Ext(rel) != ".go" {
			return nil
		}
		problems = append(problems, checkName(rel)...)
		text, err := os.ReadFile(name)
		if lines := strings.Count(string(text), "\n"); lines > maxLines {
			problems = append(problems, fmt.Sprintf("%s has %d lines, more than %d", rel, lines, maxLines))
		}
		return err
	})
	return problems, err
}

func skipped(rel string) bool {
	base := path.Base(rel)
	return strings.HasPrefix(base, ".") || base == "testdata" || rel == "dist" || rel == "internal/peerbench"
}

func checkFolder(rel string) (problems []string) {
	segments := strings.Split(rel, "/")
	if len(segments) == 1 && areaOf(rel) == "" && !slices.Contains(topLevel, rel) {
		problems = append(problems, rel+": not a folder of this module's layout")
	}
	if area := areaOf(rel); len(segments) == 2 && area != "" && !strings.HasPrefix(segments[1], area) {
		problems = append(problems, rel+": a package of an area is named after it")
	}
	return append(problems, checkName(rel)...)
}

func checkName(rel string) []string {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(rel), ".go"), "_test")
	if slices.Contains(vague, base) {
		return []string{rel + ": the name says nothing"}
	}
	return nil
}

func TestLayout(t *testing.T) {
	problems, err := checkLayout(root(t))
	if err != nil {
		t.Fatal(err)
	}
	report(t, problems)
}

// source is the files of one folder that are no tests.
type source struct {
	fset  *token.FileSet
	files []*ast.File
}

// at is the place of n before what is said of it.
func (s source) at(n ast.Node) string { return s.fset.Position(n.Pos()).String() + ": " }

// parse returns the sources below dir by folder.
func parse(t *testing.T, dir string) map[string]source {
	t.Helper()
	sources := make(map[string]source)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && skipped(rel) {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(rel) != ".go" || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		s, ok := sources[path.Dir(rel)]
		if !ok {
			s.fset = token.NewFileSet()
		}
		f, err := parser.ParseFile(s.fset, name, nil, parser.ParseComments)
		s.files = append(s.files, f)
		sources[path.Dir(rel)] = s
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sources
}
