// Package envconf reads configuration from environment variables: every value
// is checked, all problems come back together, and none of them repeats a
// value, since any value may hold a secret.
//
// A variable that is set to blanks counts as unset.
package envconf

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Reader reads variables and gathers what is wrong with them. It is for one
// goroutine.
type Reader struct {
	getenv func(string) string
	errs   []error
}

// NewReader returns a Reader of what getenv says, os.Getenv for instance.
func NewReader(getenv func(string) string) *Reader { return &Reader{getenv: getenv} }

// First returns the value of the first of names that is set, and which one that
// is. Both are "" where none is set.
func (r *Reader) First(names ...string) (value, name string) {
	for _, n := range names {
		if v := strings.TrimSpace(r.getenv(n)); v != "" {
			return v, n
		}
	}
	return "", ""
}

// Enum returns the value of name, or unset where it is not set. Another value
// than those of allowed is a problem.
func (r *Reader) Enum(name, unset string, allowed ...string) string {
	v, _ := r.First(name)
	switch {
	case v == "":
		return unset
	case !slices.Contains(allowed, v):
		r.Problem(name, "must be one of "+strings.Join(allowed, ", "))
		return unset
	}
	return v
}

// Int returns the value of name, or unset where it is not set. A value that is
// no whole number from low to high is a problem.
func (r *Reader) Int(name string, unset, low, high int) int {
	v, _ := r.First(name)
	if v == "" {
		return unset
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high { // err quotes the value: left out
		r.Problem(name, fmt.Sprintf("must be a whole number from %d to %d", low, high))
		return unset
	}
	return n
}

// Check parses the first of names that is set, or unset where none is. An error
// of parse is a problem of the variable that the value came from; parse must
// not repeat its argument in it. The second result is that variable, or "" for
// unset.
func Check[T any](r *Reader, parse func(string) (T, error), unset string, names ...string) (T, string) {
	raw, name := r.First(names...)
	if name == "" {
		raw = unset
	}
	v, err := parse(raw)
	if err != nil {
		if name == "" {
			name = names[0]
		}
		r.Problem(name, err.Error())
	}
	return v, name
}

// Problem notes what is wrong with the variable name and what would be right.
// The same problem counts once, however many fall back on the variable.
func (r *Reader) Problem(name, rule string) {
	text := name + ": " + rule
	if !slices.ContainsFunc(r.errs, func(e error) bool { return e.Error() == text }) {
		r.errs = append(r.errs, errors.New(text))
	}
}

// Err returns all problems joined, or nil.
func (r *Reader) Err() error { return errors.Join(r.errs...) }
