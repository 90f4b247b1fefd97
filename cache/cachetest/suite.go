// Package cachetest is the conformance suite of package cache: what every
// [cache.Store] must do, alone and under a [cache.Cache] on several nodes. A new
// backend enters it with [Run], or [RunVirtual] if it touches no network.
package cachetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// Backend describes the Store under test.
type Backend struct {
	// Node returns a Store over the same entries as all others that it returned:
	// each stands for one node.
	Node func(t TB) cache.Store
	// Slack is how long one operation may take at worst; times in cases are long
	// against it. Zero in virtual time.
	Slack time.Duration
}

// TB is what cases use of testing.TB.
type TB interface {
	Helper()
	Context() context.Context
	Cleanup(f func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// Case is one promise and what tests it.
type Case struct {
	Name    string
	Promise string
	test    func(t TB, b Backend)
}

// Run runs the whole suite as subtests of t, in real time.
func Run(t *testing.T, newBackend func(t *testing.T) Backend) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) { c.test(t, newBackend(t)) })
	}
}

// RunVirtual is Run for backends that touch no network: each case runs in a
// synctest bubble.
func RunVirtual(t *testing.T, newBackend func(t *testing.T) Backend) {
	for _, c := range Cases() {
		t.Run(c.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.test(t, newBackend(t)) })
		})
	}
}

// Cases returns the suite.
func Cases() []Case {
	return append(storeCases(), cacheCases()...)
}

// second is the unit of time of the cases: what is shorter than one is over well
// before a TTL of one, whatever the backend.
func (b Backend) second() time.Duration { return max(200*time.Millisecond, 4*b.Slack) }

// newCache returns a Cache with prefix over a node of its own.
func (b Backend) newCache(t TB, prefix string, change ...func(*cache.Options)) *cache.Cache {
	t.Helper()
	o := cache.Options{Prefix: prefix, L1: cache.L1{MaxStaleness: time.Second}}
	for _, f := range change {
		f(&o)
	}
	c, err := cache.New(b.Node(t), o)
	if err != nil {
		t.Fatalf("cache.New: %v", err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// words returns a typed cache of strings over a node of its own.
func (b Backend) words(t TB, p cache.Policy) *cache.Typed[string] {
	t.Helper()
	return typed[string](t, b.newCache(t, "words"), p)
}

func typed[T any](t TB, c *cache.Cache, p cache.Policy) *cache.Typed[T] {
	t.Helper()
	if p.TTL == 0 {
		p.TTL = time.Hour
	}
	w, err := cache.Of(c, cache.JSON[T](), p)
	if err != nil {
		t.Fatalf("cache.Of: %v", err)
	}
	return w
}

// eventually waits until ok holds, for as long as any Store may take.
func eventually(t TB, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("never happened: %s", what)
}

func check(t TB, err error, doing string, args ...any) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", fmt.Sprintf(doing, args...), err)
	}
}

// unbreakable are cases that test the Cache alone: no Store can break them.
var unbreakable = []string{
	"Cache/OwnWriteAtOnce", "Cache/CallerLeaves", "Cache/HardTimeout", "Cache/Close",
}

// Promises returns a line for each promise: the case that tests it and the mutants
// that prove the case. A promise of a Store that no mutant proves is an error.
func Promises() (lines []string, err error) {
	for _, c := range Cases() {
		line, proven := c.Name+" | "+c.Promise+" |", slices.Contains(unbreakable, c.Name)
		for _, m := range Mutants() {
			if m.Case == c.Name {
				line, proven = line+" "+m.Name+";", true
			}
		}
		if !proven {
			err = errors.Join(err, fmt.Errorf("no mutant for %s", c.Name))
		}
		lines = append(lines, strings.TrimSuffix(line, ";"))
	}
	return lines, err
}
