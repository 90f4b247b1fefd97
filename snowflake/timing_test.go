//go:build unix

package snowflake_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/snowflake"
)

// TestTimingParked has 1000 callers wait for a second: they take no CPU time.
func TestTimingParked(t *testing.T) {
	testenv.Timing(t)
	layout := tiny()
	layout.Tick, layout.SequenceBits = 24*time.Hour, 0
	w := newWorker(0, 0)
	w.set(w.time(), w.time().Add(30*24*time.Hour))
	g := generator(t, dayWorker{w}, snowflake.Options{Layout: layout})
	for {
		if _, err := g.TryNext(); err != nil {
			break
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			if _, err := g.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		})
	}
	time.Sleep(200 * time.Millisecond) // until all have parked
	before := cpuTime(t)
	time.Sleep(time.Second)
	used := cpuTime(t) - before
	wg.Wait()
	t.Logf("1000 parked callers: %v of CPU time in a second", used)
	if limit := 20 * time.Millisecond; used > limit {
		t.Errorf("more than %v", limit)
	}
}

// TestTimingContext measures how late a deadline of 10 ms ends the wait for a tick.
func TestTimingContext(t *testing.T) {
	testenv.Timing(t)
	g := generator(t, newWorker(0, 0), snowflake.Options{Layout: tiny()})
	for {
		if _, err := g.TryNext(); err != nil {
			break
		}
	}
	var waits []time.Duration
	for len(waits) < 50 {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		begin := time.Now()
		if _, err := g.Next(ctx); errors.Is(err, context.DeadlineExceeded) {
			waits = append(waits, time.Since(begin))
		}
		cancel()
	}
	slices.Sort(waits)
	t.Logf("a wait of 10 ms: median %v, longest %v", waits[25], waits[49])
	if limit := 20 * time.Millisecond; waits[25] > limit {
		t.Errorf("the median is more than %v", limit)
	}
}

// TestTimingIdle wants no CPU time and no look at the clock of a generator that
// nobody has called for 2 s.
func TestTimingIdle(t *testing.T) {
	testenv.Timing(t)
	w := newWorker(0, 0)
	g := generator(t, w, snowflake.Options{Layout: snowflake.Wide63()})
	next(t, g, 1000)
	time.Sleep(2 * time.Second)
	looks, before := w.looks.Load(), cpuTime(t)
	time.Sleep(3 * time.Second)
	t.Logf("idle: %d wake-ups, %v of CPU time in 3 s", w.looks.Load()-looks, cpuTime(t)-before)
	if n := w.looks.Load() - looks; n != 0 {
		t.Errorf("%d wake-ups", n)
	}
}

// dayWorker is leased for ticks of a day.
type dayWorker struct{ *fakeWorker }

func (dayWorker) MaxTick() time.Duration { return 24 * time.Hour }

// cpuTime is what this process has used.
func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
