package testenv

import (
	"os"
	"slices"
	"sync"
	"testing"
)

// owned is what this test binary shares between its tests, and the thread that
// starts its processes. Only here does the package keep state, because tests of
// one binary have nothing else in common.
var owned = &ownership{spawner: newSpawner()}

type ownership struct {
	spawner *spawner

	mu     sync.Mutex
	inMain bool
	stops  []func()
}

func (o *ownership) open() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.inMain = true
}

// check fails t where nothing would stop what it is about to share.
func (o *ownership) check(t testing.TB) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.inMain {
		t.Fatal("testenv: TestMain of this package must call testenv.Main")
	}
}

// onClose has stop called at the end of Main, last registered first.
func (o *ownership) onClose(stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stops = append(o.stops, stop)
}

// sharedDir makes a folder that is removed at the end of Main.
func (o *ownership) sharedDir() (string, error) {
	dir, err := os.MkdirTemp("", "cohort-test-")
	if err == nil {
		o.onClose(func() { _ = os.RemoveAll(dir) })
	}
	return dir, err
}

func (o *ownership) close() {
	o.mu.Lock()
	stops := o.stops
	o.stops = nil
	o.mu.Unlock()
	for _, stop := range slices.Backward(stops) {
		stop()
	}
	o.spawner.stop()
}
