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

func TestRebind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := newWorker(4, 0)
		g := generator(t, old, snowflake.Options{Layout: tiny()})
		made := next(t, g, 10)
		old.end(workerid.ErrLost)
		if _, err := g.TryNext(); !errors.Is(err, workerid.ErrLost) {
			t.Fatalf("TryNext: %v, want ErrLost", err)
		}
		if err := g.Rebind(newWorker(1, 0)); err != nil {
			t.Fatal(err)
		}
		id := next(t, g, 1)[0]
		if p, _ := tiny().Decompose(id); p.Worker != 1 || id <= made[len(made)-1] {
			t.Errorf("after Rebind %+v, before it %d", p, made[len(made)-1])
		}
		if s := g.Stats(); s.Worker != 1 || s.Rebinds != 1 {
			t.Errorf("Stats = %+v", s)
		}
	})
}

// TestRebindServesWaiters is for numbers that somebody replaces: callers wait.
func TestRebindServesWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := newWorker(4, 0)
		g := generator(t, old, snowflake.Options{Layout: tiny(), AwaitRebind: true})
		next(t, g, 1)
		old.end(workerid.ErrLost)
		if _, err := g.TryNext(); !errors.Is(err, workerid.ErrLost) {
			t.Errorf("TryNext: %v, want ErrLost at once", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := g.Next(ctx); !errors.Is(err, workerid.ErrLost) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Next: %v, want ErrLost and the deadline", err)
		}
		time.AfterFunc(5*time.Second, func() {
			if err := g.Rebind(newWorker(1, 0)); err != nil {
				t.Error(err)
			}
		})
		begin := time.Now()
		if _, err := g.Next(t.Context()); err != nil || time.Since(begin) != 5*time.Second {
			t.Errorf("Next = %v after %v, want an ID after 5s", err, time.Since(begin))
		}

		released := newWorker(2, 0)
		if err := g.Rebind(released); err != nil {
			t.Fatal(err)
		}
		released.end(workerid.ErrReleased)
		if _, err := g.Next(t.Context()); !errors.Is(err, workerid.ErrReleased) {
			t.Errorf("Next after Release: %v, want ErrReleased at once", err)
		}
	})
}

// TestRebindNeverBehind goes on above all earlier IDs although the new number's
// clock is far behind.
func TestRebindNeverBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		layout := tiny()
		layout.Epoch -= time.Hour.Milliseconds()
		g := generator(t, newWorker(31, 0), snowflake.Options{Layout: layout})
		before := next(t, g, 32)
		if err := g.Rebind(newWorker(0, -30*time.Minute)); err != nil {
			t.Fatal(err)
		}
		id, err := g.Next(t.Context())
		if err != nil || id <= before[31] {
			t.Errorf("%d, %v after %d", id, err, before[31])
		}
	})
}

func TestUnfit(t *testing.T) {
	lost := newWorker(0, 0)
	lost.end(workerid.ErrLost)
	long := snowflake.Compat53()
	long.Tick = time.Minute
	tests := []struct {
		name   string
		worker workerid.Worker
		opts   snowflake.Options
		want   []string
	}{
		{"no worker", nil, snowflake.Options{}, []string{"worker is nil"}},
		{"number of 6 bits", newWorker(32, 0), snowflake.Options{}, []string{"worker number 32"}},
		{"long tick", newWorker(0, 0), snowflake.Options{Layout: long}, []string{"Tick is 1m0s"}},
		{"far ahead", newWorker(0, 0), snowflake.Options{MaxAhead: time.Minute}, []string{"MaxAhead is 1m0s"}},
		{"negative", newWorker(0, 0), snowflake.Options{MaxAhead: -1}, []string{"MaxAhead is -1ns"}},
		{"bad layout", newWorker(0, 0), snowflake.Options{Layout: snowflake.Layout{Tick: 1}, MaxAhead: 1}, []string{"Tick is 1ns", "TimeBits is 0", "MaxAhead is 1ns"}},
		{
			"all", func() workerid.Worker { w := newWorker(-1, 0); w.end(workerid.ErrLost); return w }(),
			snowflake.Options{Layout: long, MaxAhead: time.Hour},
			[]string{"worker number -1", "Tick is 1m0s", "MaxAhead is 1h0m0s", "lease lost"},
		},
	}
	g := generator(t, newWorker(0, 0), snowflake.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := snowflake.New(tt.worker, tt.opts)
			if err == nil {
				t.Fatal("accepted")
			}
			wantAll(t, err, tt.want)
		})
	}
	for _, w := range []workerid.Worker{nil, newWorker(32, 0), lost} {
		if err := g.Rebind(w); err == nil {
			t.Errorf("Rebind to %v was accepted", w)
		}
		if _, err := g.TryNext(); err != nil {
			t.Errorf("a refused Rebind changed the generator: %v", err)
		}
	}
}
