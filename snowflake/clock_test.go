package snowflake_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// TestTimeInID calls at random moments for half an hour: the time in an ID stays
// between the clock less a tick and 5 ms, and the clock plus MaxAhead.
func TestTimeInID(t *testing.T) {
	for _, layout := range []snowflake.Layout{snowflake.Compat53(), snowflake.Wide63()} {
		t.Run(layout.Tick.String(), func(t *testing.T) {
			layout.Epoch = bubbleStart
			synctest.Test(t, func(t *testing.T) {
				w := newWorker(3, 0)
				g := generator(t, w, snowflake.Options{Layout: layout})
				random, last := rand.New(rand.NewPCG(1, 2)), snowflake.ID(-1)
				for range 5000 {
					time.Sleep(time.Duration(random.ExpFloat64() * float64(300*time.Millisecond)))
					w.renew(w.time().Add(time.Minute))
					id := next(t, g, 1)[0]
					at, now := timeOf(t, layout, id), w.time()
					if earliest := now.Add(-layout.Tick - 5*time.Millisecond); at.Before(earliest) || at.After(now.Add(time.Second)) {
						t.Fatalf("at %v an ID of %v", now, at)
					}
					if id <= last {
						t.Fatalf("%d after %d", id, last)
					}
					last = id
				}
			})
		})
	}
}

// TestStartAhead takes a number over from a holder that was 100 s ahead: there is
// always an ID at once, and the lead shrinks by half the time that passes.
func TestStartAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		w.set(w.time().Add(100*time.Second), w.time().Add(time.Hour))
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		if at := timeOf(t, tiny(), next(t, g, 1)[0]); at.UnixMilli() != bubbleStart+100_000 {
			t.Errorf("the first ID says %v", at)
		}
		for elapsed := range 300 {
			for { // all there is
				if _, err := g.TryNext(); err != nil {
					break
				}
			}
			lead := g.Stats().Ahead.Seconds()
			if want := max(100-float64(elapsed)/2, 0); lead < want || lead > want+2 {
				t.Fatalf("after %d s the generator is %v s ahead, want %v and MaxAhead", elapsed, lead, want)
			}
			time.Sleep(time.Second)
		}
	})
}

// TestWindowBeginsInsideATick leaves the tick alone that began before the window.
func TestWindowBeginsInsideATick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		w.set(w.time().Add(1001*time.Millisecond), w.time().Add(time.Hour))
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		id, err := g.Next(t.Context())
		if at := timeOf(t, tiny(), id); err != nil || at.UnixMilli() != bubbleStart+2000 {
			t.Errorf("the first ID says %v, %v", at, err)
		}
	})
}

// TestStartAheadAgain makes generators on one number that started ahead: they
// do not add up their leads.
func TestStartAheadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		w.set(w.time().Add(10*time.Second), w.time().Add(time.Hour))
		for range 20 {
			g := generator(t, w, snowflake.Options{Layout: tiny()})
			for {
				if _, err := g.TryNext(); err != nil {
					break
				}
			}
			if lead := g.Stats().Ahead; lead > 12*time.Second {
				t.Fatalf("%v ahead", lead)
			}
			g.Close()
		}
	})
}

// TestCorrectionWhileAhead corrects the process clock forward while the generator
// is ahead of it: what it stamps does not move.
func TestCorrectionWhileAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		w.set(w.time().Add(100*time.Second), w.time().Add(time.Hour))
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		next(t, g, 32)
		w.offset.Store(int64(90 * time.Second))
		time.Sleep(2*time.Second + time.Millisecond)
		if at := timeOf(t, tiny(), next(t, g, 16)[15]); at.UnixMilli() != bubbleStart+102_000 {
			t.Errorf("the last ID says %v", at)
		}
		if _, err := g.TryNext(); err == nil {
			t.Error("the correction made more IDs")
		}
	})
}

// TestStatic waits until the ticks that an earlier process could have stamped are
// over.
func TestStatic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(2300 * time.Millisecond)
		number := workerid.Static(9)
		g := generator(t, number, snowflake.Options{Layout: tiny()})
		if _, err := g.TryNext(); err == nil {
			t.Error("an ID at once")
		}
		begin := time.Now()
		id, err := g.Next(t.Context())
		if waited := time.Since(begin); err != nil || waited != 1700*time.Millisecond {
			t.Errorf("the first ID after %v, %v, want 1.7s", waited, err)
		}
		if p, _ := tiny().Decompose(id); p.Worker != 9 || p.Time.UnixMilli() != bubbleStart+4000 {
			t.Errorf("the first ID is %+v", p)
		}
		if _, err := generator(t, number, snowflake.Options{Layout: tiny()}).TryNext(); err != nil {
			t.Errorf("a second generator waits again: %v", err)
		}
	})
}

func TestEndOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		layout := tiny()
		layout.TimeBits = 3 // 8 s
		g := generator(t, newWorker(0, 0), snowflake.Options{Layout: layout})
		time.Sleep(7 * time.Second)
		next(t, g, 16)
		for range 2 {
			if _, err := g.Next(t.Context()); !errors.Is(err, snowflake.ErrOverflow) {
				t.Errorf("after the last tick: %v, want ErrOverflow", err)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestBeforeEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, newWorker(0, -90*time.Minute), snowflake.Options{Layout: tiny()})
		if _, err := g.Next(t.Context()); !errors.Is(err, snowflake.ErrOverflow) {
			t.Errorf("before the epoch: %v, want ErrOverflow", err)
		}
	})
}

// TestIdle looks at the clock no more once nothing was taken for 2 s.
func TestIdle(t *testing.T) {
	for _, layout := range []snowflake.Layout{snowflake.Compat53(), snowflake.Wide63()} {
		t.Run(layout.Tick.String(), func(t *testing.T) {
			layout.Epoch = bubbleStart
			synctest.Test(t, func(t *testing.T) {
				w := newWorker(0, 0)
				w.renew(w.time().Add(48 * time.Hour))
				g := generator(t, w, snowflake.Options{Layout: layout})
				time.Sleep(10 * time.Millisecond)
				next(t, g, 10)
				time.Sleep(2 * time.Second)
				looks := w.looks.Load()
				time.Sleep(24 * time.Hour)
				if n := w.looks.Load() - looks; n != 0 {
					t.Errorf("an idle generator looked at the clock %d times", n)
				}
				if at := timeOf(t, layout, next(t, g, 1)[0]); w.time().Sub(at) > layout.Tick {
					t.Errorf("after a day the first ID says %v", at)
				}
			})
		})
	}
}

// TestSparse calls once in 100 ms: the ticker of a millisecond layout does not beat
// all the time for that.
func TestSparse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		layout := snowflake.Wide63()
		layout.Epoch = bubbleStart
		g := generator(t, w, snowflake.Options{Layout: layout})
		const calls = 1000
		for range calls {
			next(t, g, 1)
			time.Sleep(100 * time.Millisecond)
		}
		if looks := w.looks.Load(); looks > 4*calls {
			t.Errorf("%d looks at the clock for %d calls", looks, calls)
		}
	})
}

// TestClockJump re-anchors the process clock, as after a suspend.
func TestClockJump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		a := next(t, g, 1)[0]
		w.offset.Store(int64(30 * time.Minute))
		time.Sleep(time.Second + time.Millisecond)
		b := next(t, g, 1)[0]
		if gone := timeOf(t, tiny(), b).Sub(timeOf(t, tiny(), a)); gone != 30*time.Minute+time.Second {
			t.Errorf("the IDs are %v apart", gone)
		}
	})
}
