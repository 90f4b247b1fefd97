package lifecycle_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

var errClosed = errors.New("closed")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCloseEndsAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := lifecycle.New(errClosed)
		var ended atomic.Int32
		g.Go("loop", func(ctx context.Context) {
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, errClosed) {
				t.Errorf("cause is %v, want the group's error", cause)
			}
			time.Sleep(time.Second)
			ended.Add(1)
		})
		leave, err := g.Enter()
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(2*time.Second, func() { ended.Add(1); leave() })

		want := errors.New("release failed")
		start := time.Now()
		err = g.Close(t.Context(), func(context.Context) error { return want })
		if !errors.Is(err, want) {
			t.Errorf("got %v, want the error of release", err)
		}
		if took := time.Since(start); took != 2*time.Second {
			t.Errorf("Close took %v, want 2s", took)
		}
		if n := ended.Load(); n != 2 {
			t.Errorf("%d of 2 ended before Close did", n)
		}
	})
}

func TestAfterClose(t *testing.T) {
	g := lifecycle.New(errClosed)
	if err := g.Close(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Enter(); !errors.Is(err, errClosed) {
		t.Errorf("Enter: got %v, want the group's error", err)
	}
	if g.Go("late", func(context.Context) { t.Error("Go ran its function") }) {
		t.Error("Go reported true")
	}
	release := func(context.Context) error { t.Error("release ran twice"); return nil }
	if err := g.Close(t.Context(), release); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := lifecycle.New(errClosed)
		stop := make(chan struct{})
		for range 2 {
			g.Go("deaf", func(context.Context) { <-stop })
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		err := g.Close(ctx, func(context.Context) error { <-stop; return nil })
		if took := time.Since(start); took > 1100*time.Millisecond {
			t.Errorf("Close took %v with a ctx of 1s", took)
		}
		want := "context deadline exceeded while still running: deaf (2), release"
		if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %s", err, want)
		}
		close(stop)
		if err := g.Close(t.Context(), nil); err != nil {
			t.Errorf("second Close: %v", err)
		}
	})
}

func TestReleaseErrorAtTheEndOfCtxIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := lifecycle.New(errClosed)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		want := errors.New("server away")
		err := g.Close(ctx, func(ctx context.Context) error { <-ctx.Done(); return want })
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	})
}

func BenchmarkEnterLeave(b *testing.B) {
	g := lifecycle.New(errClosed)
	b.ReportAllocs()
	for b.Loop() {
		leave, err := g.Enter()
		if err != nil {
			b.Fatal(err)
		}
		leave()
	}
}
