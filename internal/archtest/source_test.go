package archtest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// checkFuncs reports init and panics outside Must functions in the files of one
// package.
func checkFuncs(s source) (problems []string) {
	for _, f := range s.files {
		for _, decl := range f.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if fn.Recv == nil && fn.Name.Name == "init" {
				problems = append(problems, s.at(fn)+"init runs before anybody asked for it")
			}
			if strings.HasPrefix(strings.ToLower(fn.Name.Name), "must") {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isBuiltin(call.Fun, "panic") {
					problems = append(problems, s.at(call)+"panic outside a Must function")
				}
				return true
			})
		}
	}
	return problems
}

// checkVars reports package variables that can change.
func checkVars(s source) (problems []string) {
	for _, v := range packageVars(s.files) {
		if why := mutable(v, s.files); why != "" {
			problems = append(problems, s.at(v.name)+"package variable "+v.name.Name+" "+why)
		}
	}
	return problems
}

func isBuiltin(fun ast.Expr, name string) bool {
	id, ok := fun.(*ast.Ident)
	return ok && id.Name == name && id.Obj == nil
}

// packageVar is one variable declared at the top of a file.
type packageVar struct {
	name  *ast.Ident
	spec  *ast.ValueSpec
	value ast.Expr // nil without an initial value
	embed bool     // filled by go:embed
}

func packageVars(files []*ast.File) (vars []packageVar) {
	for _, f := range files {
		for _, decl := range f.Decls {
			gen, ok := decl.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, s := range gen.Specs {
				spec, _ := s.(*ast.ValueSpec)
				embed := embedded(gen.Doc) || embedded(spec.Doc)
				for i, name := range spec.Names {
					v := packageVar{name: name, spec: spec, embed: embed}
					if i < len(spec.Values) {
						v.value = spec.Values[i]
					}
					if name.Name != "_" {
						vars = append(vars, v)
					}
				}
			}
		}
	}
	return vars
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// makers are the functions whose result never changes and may be kept in a
// package variable.
var makers = []string{
	"errors.New", "fmt.Errorf",
	"regexp.MustCompile", "strings.NewReplacer", "template.Must", "script.New", "crc32.MakeTable",
	"base32.NewEncoding", "base64.NewEncoding", "reflect.TypeFor",
}

// mutable says why v can change after the program started, or "".
//
// A package variable is an error sentinel, embedded text, the result of one of
// the makers, or an unexported table: a composite literal that no statement of
// the package assigns to, increments, deletes from or takes the address of.
func mutable(v packageVar, files []*ast.File) string {
	switch value := v.value.(type) {
	case nil:
		if !v.embed {
			return "has no initial value, so something must set it"
		}
	case *ast.CallExpr:
		maker := called(value.Fun)
		if !slices.Contains(makers, maker) {
			return "is made by " + maker + ", which is not known to make a constant"
		}
		if v.name.IsExported() && maker != "errors.New" && maker != "fmt.Errorf" {
			return "is exported, so any importer can set it"
		}
	case *ast.CompositeLit:
		if v.name.IsExported() {
			return "is exported, so any importer can set it"
		}
		if holdsState(value.Type, files) {
			return "has methods that change it"
		}
	default:
		return "is neither a sentinel nor a table; use a constant or a function"
	}
	if where := change(v, files); where != nil {
		return "is changed or lent out by " + fmt.Sprintf("%T", where)
	}
	return ""
}

// holdsState reports whether values of a type exist to be changed: types of the
// packages named here, and types of this package with methods on a pointer.
func holdsState(typ ast.Expr, files []*ast.File) bool {
	switch typ := typ.(type) {
	case *ast.SelectorExpr:
		return slices.Contains([]string{"sync", "atomic", "bytes", "strings"}, called(typ.X))
	case *ast.Ident:
		for _, f := range files {
			for _, decl := range f.Decls {
				fn, ok := decl.(*ast.FuncDecl)
				if !ok || fn.Recv == nil {
					continue
				}
				ptr, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
				if ok && called(ptr.X) == typ.Name {
					return true
				}
			}
		}
	}
	return false
}

// called is the name of a called function: "f" or "pkg.F".
func called(fun ast.Expr) string {
	switch f := fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return called(f.X) + "." + f.Sel.Name
	case *ast.IndexExpr:
		return called(f.X)
	}
	return "an expression"
}

// change returns the first statement that changes v or takes its address.
func change(v packageVar, files []*ast.File) (found ast.Node) {
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			var targets []ast.Expr
			switch n := n.(type) {
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					targets = n.Lhs
				}
			case *ast.IncDecStmt:
				targets = []ast.Expr{n.X}
			case *ast.RangeStmt:
				if n.Tok == token.ASSIGN {
					targets = []ast.Expr{n.Key, n.Value}
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					targets = []ast.Expr{n.X}
				}
			case *ast.CallExpr:
				if isBuiltin(n.Fun, "delete") || isBuiltin(n.Fun, "clear") || isBuiltin(n.Fun, "copy") {
					targets = n.Args[:1]
				}
			}
			if slices.ContainsFunc(targets, func(x ast.Expr) bool { return refersTo(x, v) }) {
				found = n
			}
			return found == nil
		})
	}
	return found
}

// refersTo reports whether x is v, or an element or field of it.
func refersTo(x ast.Expr, v packageVar) bool {
	switch x := x.(type) {
	case *ast.Ident:
		// The parser resolves names within a file; one that it left open, or
		// resolved to the declaration of v, is v.
		return x.Name == v.name.Name && (x.Obj == nil || x.Obj.Decl == v.spec)
	case *ast.IndexExpr:
		return refersTo(x.X, v)
	case *ast.SelectorExpr:
		return refersTo(x.X, v)
	case *ast.ParenExpr:
		return refersTo(x.X, v)
	case *ast.StarExpr:
		return refersTo(x.X, v)
	}
	return false
}

// stateful are the packages that may keep state of the process: what the tests
// of one binary share has no other owner.
var stateful = []string{"internal/testenv"}

func TestSource(t *testing.T) {
	for dir, s := range parse(t, root(t)) {
		report(t, checkFuncs(s))
		if !slices.Contains(stateful, dir) {
			report(t, checkVars(s))
		}
	}
}
