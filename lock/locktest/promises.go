package locktest

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

// A Promise is a sentence of package lock's documentation; Run has a case of its
// name.
type Promise struct{ Name, Says string }

// Promises lists what the suite checks.
func Promises() []Promise {
	all := make([]Promise, 0, len(promises()))
	for _, p := range promises() {
		all = append(all, Promise{p.name, p.says})
	}
	return all
}

// Broken runs the cases of the named promises in virtual time and returns the
// names of those that a backend breaks. It is for those who prove that the suite
// catches what it should.
func Broken(t *testing.T, names []string, open func(t testing.TB) Backend) []string {
	var broken []string
	for _, p := range promises() {
		if !slices.Contains(names, p.name) {
			continue
		}
		synctest.Test(t, func(t *testing.T) {
			if run(t, p, open) {
				broken = append(broken, p.name)
			}
		})
	}
	return broken
}

// run runs one case and reports whether it failed.
func run(t *testing.T, p promise, open func(t testing.TB) Backend) bool {
	v := &verdict{TB: t}
	var cases sync.WaitGroup
	cases.Go(func() { // ends with the case
		defer v.cleanup()
		defer func() {
			if r := recover(); r != nil {
				v.Error(r)
			}
		}()
		p.check(newSpace(v, open(v)))
	})
	cases.Wait()
	return v.Failed()
}

// verdict notes the failures of a case instead of reporting them.
type verdict struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	cleanups []func()
}

func (v *verdict) fail() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failed = true
}

// Failed implements testing.TB.
func (v *verdict) Failed() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.failed
}

// Cleanup implements testing.TB.
func (v *verdict) Cleanup(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cleanups = append(v.cleanups, f)
}

func (v *verdict) cleanup() {
	v.mu.Lock()
	list := v.cleanups
	v.mu.Unlock()
	for _, f := range slices.Backward(list) {
		f()
	}
}

// Context implements testing.TB.
func (v *verdict) Context() context.Context { return context.Background() }

// Helper implements testing.TB.
func (v *verdict) Helper() {}

// Error implements testing.TB.
func (v *verdict) Error(args ...any) {
	v.Log(args...)
	v.fail()
}

// Errorf implements testing.TB.
func (v *verdict) Errorf(format string, args ...any) { v.Error(fmt.Sprintf(format, args...)) }

// Fatal implements testing.TB.
func (v *verdict) Fatal(args ...any) {
	v.Error(args...)
	runtime.Goexit()
}

// Fatalf implements testing.TB.
func (v *verdict) Fatalf(format string, args ...any) { v.Fatal(fmt.Sprintf(format, args...)) }
