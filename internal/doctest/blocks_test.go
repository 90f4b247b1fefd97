// Package doctest holds what the documents say against the code: their examples
// compile, their commands name what exists, and every test that they quote is
// there.
package doctest

import (
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// block is one piece of code in a document.
type block struct {
	file     string // path below the module
	line     int    // of the first line of text, from 1
	language string // of a fenced block; "" where none is named
	text     string // without the indentation of the document
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

// markdown returns the fenced blocks of a Markdown file.
func markdown(file, text string) (blocks []block) {
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		before, language, fence := strings.Cut(line, "```")
		fence = fence && strings.TrimSpace(before) == ""
		switch {
		case fence && open == nil:
			open, indent = &block{file: file, line: i + 2, language: language}, before
		case fence:
			blocks = append(blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		}
	}
	return blocks
}

// comments returns the blocks of code in the documentation that a Go file holds.
func comments(file string, text []byte) (blocks []block, err error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	for _, doc := range docs(f) {
		for _, part := range new(comment.Parser).Parse(doc.Text()).Content {
			code, ok := part.(*comment.Code)
			if !ok {
				continue
			}
			b := block{file: file, text: code.Text}
			first, _, _ := strings.Cut(code.Text, "\n")
			for _, c := range doc.List {
				if b.line == 0 && strings.TrimSpace(strings.TrimPrefix(c.Text, "//")) == strings.TrimSpace(first) {
					b.line = fset.Position(c.Pos()).Line
				}
			}
			blocks = append(blocks, b)
		}
	}
	return blocks, nil
}

// docs are the documentation of a package and of what it declares.
func docs(f *ast.File) (all []*ast.CommentGroup) {
	add := func(doc *ast.CommentGroup) {
		if doc != nil {
			all = append(all, doc)
		}
	}
	add(f.Doc)
	for _, decl := range f.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			add(decl.Doc)
		case *ast.GenDecl:
			add(decl.Doc)
			for _, spec := range decl.Specs {
				if t, ok := spec.(*ast.TypeSpec); ok {
					add(t.Doc)
				}
			}
		}
	}
	return all
}

// documented returns the blocks of all documents of the module: Markdown files, and
// the documentation of packages.
func documented(t *testing.T) (blocks []block) {
	t.Helper()
	dir := root(t)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		isGo := strings.HasSuffix(rel, ".go") && !strings.HasSuffix(rel, "_test.go")
		if !isGo && !strings.HasSuffix(rel, ".md") {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if !isGo {
			blocks = append(blocks, markdown(rel, string(text))...)
			return nil
		}
		found, err := comments(rel, text)
		blocks = append(blocks, found...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return blocks
}
