package snowflake_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

func TestFullTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, newWorker(0, 0), snowflake.Options{Layout: tiny()})
		time.Sleep(250 * time.Millisecond)
		next(t, g, 32) // this second and, borrowed, the next

		_, err := g.TryNext()
		if full, ok := errors.AsType[*snowflake.ExhaustedError](err); !ok || full.RetryAfter != 750*time.Millisecond {
			t.Fatalf("TryNext = %v, want an ExhaustedError for 750ms", err)
		}

		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err = g.Next(ctx)
		if waited := time.Since(begin); waited != 10*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next = %v after %v, want the deadline after 10ms", err, waited)
		}
		if _, ok := errors.AsType[*snowflake.ExhaustedError](err); !ok {
			t.Errorf("%v does not say that the tick is full", err)
		}

		begin = time.Now()
		id, err := g.Next(t.Context())
		if waited := time.Since(begin); err != nil || waited != 740*time.Millisecond {
			t.Errorf("Next = %d, %v after %v, want an ID after 740ms", id, err, waited)
		}
		if p, _ := tiny().Decompose(id); p.Sequence != 0 || p.Time.UnixMilli() != bubbleStart+2000 {
			t.Errorf("the first ID of the next tick is %+v", p)
		}
	})
}

// TestManyWaiters parks more callers than a tick has IDs for: all are served, each
// tick in full, and none looks at the clock more than it must.
func TestManyWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const callers = 1000
		w := newWorker(0, 0)
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		made := make(chan snowflake.ID, callers)
		for range callers {
			go func() {
				id, err := g.Next(t.Context())
				if err != nil {
					t.Error(err)
				}
				made <- id
			}()
		}
		seen, begin := ledger{}, time.Now()
		for range callers {
			seen.add(t, <-made)
		}
		if took := time.Since(begin); took != 61*time.Second { // 1000 = 63 ticks of 16, two of them at once
			t.Errorf("it took %v, want 61s", took)
		}
		if s := g.Stats(); s.Waiting != 0 || s.Waits == 0 {
			t.Errorf("Stats = %+v", s)
		}
	})
}

// TestPollersDoNotPush asks again and again while the tick is full.
func TestPollersDoNotPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, newWorker(0, 0), snowflake.Options{Layout: tiny()})
		next(t, g, 32)
		for range 100_000 {
			if _, err := g.TryNext(); err == nil {
				t.Fatal("an ID beyond MaxAhead")
			}
		}
		time.Sleep(time.Second)
		next(t, g, 16)
	})
}

func TestMark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		w.renew(w.time().Add(1999 * time.Millisecond)) // one whole tick
		next(t, g, 16)
		if _, err := g.TryNext(); !errors.Is(err, workerid.ErrUnavailable) {
			t.Fatalf("TryNext past the mark: %v, want ErrUnavailable", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := g.Next(ctx); !errors.Is(err, workerid.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next past the mark: %v, want ErrUnavailable and the deadline", err)
		}
		begin := time.Now()
		time.AfterFunc(3*time.Second, func() { w.renew(w.time().Add(time.Minute)) })
		id, err := g.Next(t.Context())
		if err != nil || time.Since(begin) != 3*time.Second {
			t.Errorf("Next = %v after %v, want an ID with the renewal after 3s", err, time.Since(begin))
		}
		if at := timeOf(t, tiny(), id); at.UnixMilli() != bubbleStart+8000 {
			t.Errorf("the ID says %v", at)
		}
	})
}

func TestEndOfLease(t *testing.T) {
	for _, cause := range []error{workerid.ErrLost, workerid.ErrReleased} {
		t.Run(cause.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorker(0, 0)
				g := generator(t, w, snowflake.Options{Layout: tiny()})
				next(t, g, 32)
				go func() { time.Sleep(10 * time.Millisecond); w.end(cause) }()
				if _, err := g.Next(t.Context()); !errors.Is(err, cause) || time.Now().UnixMilli() != bubbleStart+10 {
					t.Errorf("waiting: %v at %v, want %v after 10ms", err, time.Now(), cause)
				}
				if _, err := g.TryNext(); !errors.Is(err, cause) {
					t.Errorf("TryNext: %v, want %v", err, cause)
				}
				if err := g.Fill(t.Context(), make([]snowflake.ID, 3)); !errors.Is(err, cause) {
					t.Errorf("Fill: %v, want %v", err, cause)
				}
				if _, err := snowflake.New(w, snowflake.Options{Layout: tiny()}); !errors.Is(err, cause) {
					t.Errorf("New: %v, want %v", err, cause)
				}
			})
		})
	}
}

// TestSealedFirst seals the cursor a moment before the worker's context ends.
func TestSealedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		next(t, g, 1)
		for _, c := range w.cursors {
			c.Seal()
		}
		if _, err := g.TryNext(); !errors.Is(err, workerid.ErrReleased) {
			t.Errorf("TryNext: %v, want ErrReleased", err)
		}
		time.AfterFunc(time.Second, func() { w.cancel(workerid.ErrLost) })
		if _, err := g.Next(t.Context()); !errors.Is(err, workerid.ErrLost) {
			t.Errorf("Next: %v, want ErrLost", err)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := generator(t, newWorker(0, 0), snowflake.Options{Layout: tiny()})
		next(t, g, 32)
		time.AfterFunc(time.Millisecond, g.Close)
		if _, err := g.Next(t.Context()); !errors.Is(err, snowflake.ErrClosed) || time.Now().UnixMilli() != bubbleStart+1 {
			t.Errorf("waiting: %v at %v, want ErrClosed at once", err, time.Now())
		}
		g.Close()
		if _, err := g.TryNext(); !errors.Is(err, snowflake.ErrClosed) {
			t.Errorf("TryNext: %v, want ErrClosed", err)
		}
		full := generator(t, newWorker(0, 0), snowflake.Options{Layout: tiny()})
		next(t, full, 1)
		full.Close()
		if _, err := full.TryNext(); !errors.Is(err, snowflake.ErrClosed) {
			t.Errorf("TryNext with IDs left: %v, want ErrClosed", err)
		}
		if err := g.Rebind(newWorker(1, 0)); !errors.Is(err, snowflake.ErrClosed) {
			t.Errorf("Rebind: %v, want ErrClosed", err)
		}
	})
}

func TestAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorker(0, 0)
		g := generator(t, w, snowflake.Options{Layout: tiny()})
		ctx, cancel := context.WithTimeout(t.Context(), 4500*time.Millisecond)
		defer cancel()
		seen, last := ledger{}, error(nil)
		for id, err := range g.All(ctx) {
			if last = err; err == nil {
				seen.add(t, id)
			}
		}
		if len(seen) != 16*6 || !errors.Is(last, context.DeadlineExceeded) {
			t.Errorf("%d IDs in 4.5 s, then %v", len(seen), last)
		}
	})
}
