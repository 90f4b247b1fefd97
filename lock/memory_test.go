package lock_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/locktest"
)

func memory(testing.TB) locktest.Backend {
	space := lock.NewSpace()
	return locktest.Backend{New: func(testing.TB) lock.Backend { return space.Backend() }}
}

func TestMemoryVirtual(t *testing.T) { locktest.RunVirtual(t, memory) }

func TestMemory(t *testing.T) { locktest.Run(t, memory) }

// One scheduler serves all leases: they cost no goroutine each.
func TestGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := runtime.NumGoroutine()
		l, err := lock.NewMemory(lock.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1000 {
			if _, err := l.Acquire(t.Context(), fmt.Sprint(i), lock.Request{TTL: time.Second}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10*time.Second + time.Millisecond) // between renewals
		synctest.Wait()
		if n := runtime.NumGoroutine() - before; n > 10 {
			t.Errorf("1000 leases have %d goroutines", n)
		}
		for i := range 1000 {
			if _, err := l.TryAcquire(t.Context(), fmt.Sprint(i), lock.Request{}); !errors.Is(err, lock.ErrHeld) {
				t.Fatalf("lease %d was not renewed: %v", i, err)
			}
		}
		if err := l.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestFenceGate(t *testing.T) {
	var g lock.FenceGate
	for _, step := range []struct {
		fence uint64
		want  error
	}{{5, nil}, {5, nil}, {4, lock.ErrStale}, {7, nil}, {6, lock.ErrStale}} {
		if err := g.Check("row", step.fence); !errors.Is(err, step.want) {
			t.Errorf("fence %d: %v, want %v", step.fence, err, step.want)
		}
	}
	if err := g.Check("another row", 1); err != nil {
		t.Error(err)
	}
}
