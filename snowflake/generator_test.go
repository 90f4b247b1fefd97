package snowflake_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// TestSuccessors hands one number from holder to holder, each with a clock up to
// an hour off and a window from the last one's mark.
func TestSuccessors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seed := uint64(time.Now().UnixNano())
		random := rand.New(rand.NewPCG(seed, 0))
		layout := tiny()
		layout.Epoch -= 24 * time.Hour.Milliseconds()
		seen, mark := ledger{}, time.Time{}
		for range 100 {
			w := newWorker(7, time.Duration(random.Int64N(int64(2*time.Hour)))-time.Hour)
			start := w.time()
			if start.Before(mark) {
				start = mark
			}
			mark = start.Add(time.Duration(3+random.IntN(20)) * time.Second)
			w.set(start, mark)
			g := generator(t, w, snowflake.Options{Layout: layout})
			for range random.IntN(5) {
				for range random.IntN(40) {
					if id, err := g.TryNext(); err == nil {
						seen.add(t, id)
					}
				}
				time.Sleep(time.Duration(random.Int64N(int64(time.Second))))
			}
			w.end(workerid.ErrLost)
			if t.Failed() {
				t.Log("seed", seed)
			}
		}
	})
}

func TestTwoGeneratorsShareACursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		a := generator(t, w, snowflake.Options{Layout: tiny()})
		b := generator(t, w, snowflake.Options{Layout: tiny()})
		seen := ledger{}
		for range 100 {
			seen.add(t, next(t, a, 8)...)
			seen.add(t, next(t, b, 8)...)
			time.Sleep(time.Second)
		}
		a.Close()
		seen.add(t, next(t, b, 8)...)
	})
}

// TestConcurrent is for the race detector: real goroutines, all entry points.
func TestConcurrent(t *testing.T) {
	const callers, each = 16, 3000
	w := newWorker(31, 0)
	a := generator(t, w, snowflake.Options{Layout: snowflake.Wide63()})
	b := generator(t, w, snowflake.Options{Layout: snowflake.Wide63()})
	made := make([][]snowflake.ID, callers)
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			ids := make([]snowflake.ID, each)
			g := []*snowflake.Generator{a, b}[i%2]
			for n := 0; n < each; {
				switch n % 3 {
				case 0:
					row := ids[n:min(n+100, each)]
					if err := g.Fill(t.Context(), row); err != nil {
						t.Error(err)
						return
					}
					n += len(row)
				default:
					id, err := g.Next(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					ids[n] = id
					n++
				}
			}
			made[i] = ids
		})
	}
	wg.Wait()
	for i, ids := range made {
		if !slices.IsSorted(ids) {
			t.Errorf("caller %d got IDs out of order", i)
		}
	}
	ledger{}.add(t, slices.Concat(made...)...)
}

// TestMarkConcurrent has many goroutines run into the mark at once: together they
// get every ID below it and none beyond.
func TestMarkConcurrent(t *testing.T) {
	layout := snowflake.Layout{Tick: time.Second, TimeBits: 40, WorkerBits: 1, SequenceBits: 16}
	for range 300 {
		w := newWorker(0, 0)
		begin := w.time().Truncate(time.Second).Add(10 * time.Second)
		w.set(begin, begin.Add(1500*time.Millisecond))
		last, err := layout.Compose(snowflake.Parts{Time: begin, Sequence: 1<<16 - 1})
		if err != nil {
			t.Fatal(err)
		}
		g := generator(t, w, snowflake.Options{Layout: layout})
		made := make([]int, 8)
		var wg sync.WaitGroup
		for i := range made {
			wg.Go(func() {
				for {
					id, err := g.TryNext()
					if err != nil {
						return
					}
					if id > last {
						t.Errorf("%d is %d beyond the mark", id, id-last)
						return
					}
					made[i]++
				}
			})
		}
		wg.Wait()
		if sum := total(made); sum != 1<<16 {
			t.Fatalf("%d IDs, want all 65536 of the tick", sum)
		}
	}
}

func total(counts []int) (sum int) {
	for _, n := range counts {
		sum += n
	}
	return sum
}

func TestNoAllocations(t *testing.T) {
	g := generator(t, newWorker(0, 0), snowflake.Options{Layout: snowflake.Wide63()})
	ids := make([]snowflake.ID, 256)
	ctx := t.Context()
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := g.Next(ctx); err != nil {
			t.Error(err)
		}
		if err := g.Fill(ctx, ids); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
