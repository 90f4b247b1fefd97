package cachetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// RunBloom runs the promises of [cache.Bloom] against a filter service that has
// no filters.
func RunBloom(t *testing.T, newBloom func(t *testing.T) cache.Bloom) {
	t.Run("NotReserved", func(t *testing.T) {
		b := newBloom(t)
		_, add := b.Add(t.Context(), "none", "x")
		_, exists := b.Exists(t.Context(), "none", "x")
		_, info := b.Info(t.Context(), "none")
		for op, err := range map[string]error{"Add": add, "Exists": exists, "Info": info} {
			if !errors.Is(err, cache.ErrNotReserved) {
				t.Errorf("%s: %v, want ErrNotReserved", op, err)
			}
		}
	})
	t.Run("Reserve", func(t *testing.T) {
		b := newBloom(t)
		for range 2 {
			check(t, b.Reserve(t.Context(), "f", 1000, 0.01), "Reserve")
		}
		if err := b.Reserve(t.Context(), "f", 1000, 0.02); !errors.Is(err, cache.ErrMismatch) {
			t.Errorf("other rate: %v, want ErrMismatch", err)
		}
		for _, bad := range []struct {
			capacity uint64
			rate     float64
		}{{0, 0.01}, {1, 0}, {1, 1}, {1, math.NaN()}, {1 << 60, 0.01}} {
			if err := b.Reserve(t.Context(), "bad", bad.capacity, bad.rate); err == nil {
				t.Errorf("%+v is accepted", bad)
			}
		}
		found, err := b.Drop(t.Context(), "f")
		check(t, err, "Drop")
		if !found {
			t.Errorf("Drop found nothing")
		}
		if _, err := b.Exists(t.Context(), "f", "x"); !errors.Is(err, cache.ErrNotReserved) {
			t.Errorf("after Drop: %v, want ErrNotReserved", err)
		}
	})
	t.Run("Answers", func(t *testing.T) { bloomAnswers(t, newBloom(t)) })
}

func bloomAnswers(t *testing.T, b cache.Bloom) {
	const n, rate = 5000, 0.01
	check(t, b.Reserve(t.Context(), "f", n, rate), "Reserve")
	items := func(kind string) (list []string) {
		for i := range n {
			list = append(list, fmt.Sprint(kind, i))
		}
		return list
	}
	added, err := b.Add(t.Context(), "f", items("in")...)
	check(t, err, "Add")
	found, err := b.Exists(t.Context(), "f", items("in")...)
	check(t, err, "Exists")
	others, err := b.Exists(t.Context(), "f", items("out")...)
	check(t, err, "Exists")
	var fresh, wrong int
	for i := range n {
		if !found[i] {
			t.Fatalf("item %d was forgotten", i)
		}
		if added[i] {
			fresh++
		}
		if others[i] {
			wrong++
		}
	}
	if part := float64(wrong) / n; part > 1.2*rate {
		t.Errorf("%.4f false answers, want at most 1.2 × %v", part, rate)
	}
	if fresh < n*97/100 || !added[0] {
		t.Errorf("%d of %d items were new", fresh, n)
	}
	again, err := b.Add(t.Context(), "f", "in1", "in1")
	check(t, err, "Add")
	if again[0] || again[1] {
		t.Errorf("an added item is new again")
	}
}

// RunCounter runs the promises of [cache.Counter].
func RunCounter(t *testing.T, newCounter func(t *testing.T) cache.Counter) {
	c := newCounter(t)
	ctx := t.Context()
	first, err := c.Add(ctx, "k", 5, time.Second)
	check(t, err, "Add")
	if first.Value != 5 || first.Expires <= 0 || first.Expires > time.Second {
		t.Errorf("first: %+v", first)
	}
	time.Sleep(400 * time.Millisecond)
	second, err := c.Add(ctx, "k", -7, time.Hour)
	check(t, err, "Add")
	if second.Value != -2 || second.Expires > 650*time.Millisecond {
		t.Errorf("second: %+v, want -2 with the time of the first", second)
	}
	time.Sleep(700 * time.Millisecond)
	if got, err := c.Get(ctx, "k"); err != nil || got != (cache.Count{}) {
		t.Errorf("after its time: %+v, %v", got, err)
	}
	top, err := c.Add(ctx, "k", math.MaxInt64, cache.Forever)
	check(t, err, "Add")
	if top.Value != math.MaxInt64 || top.Expires != cache.Forever {
		t.Errorf("got %+v, want the largest value for ever", top)
	}
	if _, err := c.Add(ctx, "k", 1, time.Hour); !errors.Is(err, cache.ErrOverflow) {
		t.Errorf("above the range: %v, want ErrOverflow", err)
	}
	if got, err := c.Get(ctx, "k"); err != nil || got != top {
		t.Errorf("after the overflow: %+v, %v", got, err)
	}
	for _, want := range []bool{true, false} {
		if found, err := c.Reset(ctx, "k"); err != nil || found != want {
			t.Errorf("Reset: %v, %v; want %v", found, err, want)
		}
	}
	if _, err := c.Add(ctx, "k", 1, 0); err == nil {
		t.Errorf("a ttl of 0 is accepted")
	}
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			for range 10 {
				_, err := c.Add(context.WithoutCancel(ctx), "sum", 1, time.Hour)
				check(t, err, "Add")
			}
		})
	}
	wg.Wait()
	if got, err := c.Get(ctx, "sum"); err != nil || got.Value != 100 {
		t.Errorf("100 additions: %+v, %v", got, err)
	}
}

// RunLimiter runs the promises of [cache.Limiter] against one with the rate.
func RunLimiter(t *testing.T, newLimiter func(t *testing.T, r cache.Rate) cache.Limiter) {
	ctx := t.Context()
	l := newLimiter(t, cache.Rate{Events: 5, Per: time.Second, Burst: 3})
	for i := range 3 {
		a, err := l.Allow(ctx, "k", 1)
		check(t, err, "Allow")
		if !a.Allowed || a.RetryAfter != 0 || a.Remaining != 2-i {
			t.Errorf("event %d: %+v", i, a)
		}
	}
	a, err := l.Allow(ctx, "k", 1)
	check(t, err, "Allow")
	if a.Allowed || a.Remaining != 0 || a.RetryAfter <= 0 || a.RetryAfter > 200*time.Millisecond {
		t.Errorf("beyond the burst: %+v", a)
	}
	if a, err := l.Allow(ctx, "other", 3); err != nil || !a.Allowed {
		t.Errorf("another key: %+v, %v", a, err)
	}
	time.Sleep(a.RetryAfter + 10*time.Millisecond)
	if a, err := l.Allow(ctx, "k", 1); err != nil || !a.Allowed {
		t.Errorf("after RetryAfter: %+v, %v", a, err)
	}
	check(t, l.Reset(ctx, "k"), "Reset")
	if a, err := l.Allow(ctx, "k", 3); err != nil || !a.Allowed {
		t.Errorf("after Reset: %+v, %v", a, err)
	}
	for _, n := range []int{0, 4} {
		if _, err := l.Allow(ctx, "k", n); err == nil {
			t.Errorf("%d events are accepted", n)
		}
	}
}
