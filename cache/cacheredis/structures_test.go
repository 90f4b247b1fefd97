package cacheredis_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/cache/cachetest"
	"github.com/cohort-go/cohort/internal/testenv"
)

func must[T any](t *testing.T) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestStructures(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		o := cacheredis.StructureOptions{Namespace: namespace(t)}
		t.Run("Bloom", func(t *testing.T) {
			cachetest.RunBloom(t, func(t *testing.T) cache.Bloom { return must[*cacheredis.Bloom](t)(cacheredis.NewBloom(c, o)) })
		})
		t.Run("Counter", func(t *testing.T) {
			cachetest.RunCounter(t, func(t *testing.T) cache.Counter { return must[*cacheredis.Counter](t)(cacheredis.NewCounter(c, o)) })
		})
		t.Run("Limiter", func(t *testing.T) {
			cachetest.RunLimiter(t, func(t *testing.T, r cache.Rate) cache.Limiter {
				return must[*cacheredis.Limiter](t)(cacheredis.NewLimiter(c, r, o))
			})
		})
		t.Run("LostFilter", func(t *testing.T) { lostFilter(t, c, o) })
		t.Run("EqualAnswers", func(t *testing.T) { equalAnswers(t, c, o) })
	})
}

// lostFilter: a filter that was evicted, or cut short, never says that it does not
// have an item.
func lostFilter(t *testing.T, c redis.UniversalClient, o cacheredis.StructureOptions) {
	b := must[*cacheredis.Bloom](t)(cacheredis.NewBloom(c, o))
	ctx, key := t.Context(), o.Namespace+":bloom:{lost}"
	for name, harm := range map[string]func() error{
		"gone":      func() error { return c.Del(ctx, key).Err() },
		"truncated": func() error { return c.Set(ctx, key, c.GetRange(ctx, key, 0, 99).Val(), 0).Err() },
		"foreign":   func() error { return c.Set(ctx, key, "something else", 0).Err() },
		"longer":    func() error { return c.Append(ctx, key, "x").Err() },
	} {
		_, err := b.Drop(ctx, "lost")
		if err == nil {
			err = b.Reserve(ctx, "lost", 1000, 0.01)
		}
		if err == nil {
			_, err = b.Add(ctx, "lost", "token")
		}
		if err == nil {
			err = harm()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Exists(ctx, "lost", "token"); !errors.Is(err, cache.ErrNotReserved) {
			t.Errorf("%s: Exists: %v, want ErrNotReserved", name, err)
		}
		if _, err := b.Info(ctx, "lost"); !errors.Is(err, cache.ErrNotReserved) {
			t.Errorf("%s: Info: %v, want ErrNotReserved", name, err)
		}
	}
}

// equalAnswers: the same random script has the same answers in memory and on Redis.
func equalAnswers(t *testing.T, c redis.UniversalClient, o cacheredis.StructureOptions) {
	blooms := []cache.Bloom{cache.NewMemoryBloom(), must[*cacheredis.Bloom](t)(cacheredis.NewBloom(c, o))}
	counters := []cache.Counter{cache.NewMemoryCounter(), must[*cacheredis.Counter](t)(cacheredis.NewCounter(c, o))}
	rate := cache.Rate{Events: 7, Per: 24 * time.Hour, Burst: 9}
	limiters := []cache.Limiter{
		must[*cache.MemoryLimiter](t)(cache.NewMemoryLimiter(rate)),
		must[*cacheredis.Limiter](t)(cacheredis.NewLimiter(c, rate, o)),
	}
	ctx := t.Context()
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b", "{c} *"})
		item := rapid.StringN(0, 3, -1)
		// both runs f on the memory and on the Redis twin and compares.
		both := func(what string, f func(i int) (any, error)) {
			memory, err1 := f(0)
			remote, err2 := f(1)
			if memory != remote || kindOf(err1) != kindOf(err2) {
				r.Fatalf("%s: memory %v, %v; Redis %v, %v", what, memory, err1, remote, err2)
			}
		}
		r.Repeat(map[string]func(*rapid.T){
			"reserve": func(r *rapid.T) {
				n, size := name.Draw(r, "name"), rapid.Uint64Range(0, 40).Draw(r, "capacity")
				both("reserve", func(i int) (any, error) { return nil, blooms[i].Reserve(ctx, n, size, 0.1) })
			},
			"add": func(r *rapid.T) {
				n, items := name.Draw(r, "name"), rapid.SliceOfN(item, 1, 5).Draw(r, "items")
				both("add", func(i int) (any, error) { got, err := blooms[i].Add(ctx, n, items...); return text(got), err })
			},
			"exists": func(r *rapid.T) {
				n, items := name.Draw(r, "name"), rapid.SliceOfN(item, 1, 5).Draw(r, "items")
				both("exists", func(i int) (any, error) { got, err := blooms[i].Exists(ctx, n, items...); return text(got), err })
			},
			"info": func(r *rapid.T) {
				n := name.Draw(r, "name")
				both("info", func(i int) (any, error) { return blooms[i].Info(ctx, n) })
			},
			"drop": func(r *rapid.T) {
				n := name.Draw(r, "name")
				both("drop", func(i int) (any, error) { return blooms[i].Drop(ctx, n) })
			},
			"count": func(r *rapid.T) {
				n := name.Draw(r, "name")
				delta := rapid.OneOf(rapid.Int64Range(-9, 9), rapid.SampledFrom([]int64{math.MaxInt64, math.MinInt64})).Draw(r, "delta")
				both("count", func(i int) (any, error) {
					got, err := counters[i].Add(ctx, n, delta, 12*time.Hour)
					got.Expires = got.Expires.Round(time.Hour)
					return got, err
				})
			},
			"get": func(r *rapid.T) {
				n := name.Draw(r, "name")
				both("get", func(i int) (any, error) {
					got, err := counters[i].Get(ctx, n)
					got.Expires = got.Expires.Round(time.Hour)
					return got, err
				})
			},
			"reset": func(r *rapid.T) {
				n := name.Draw(r, "name")
				both("reset", func(i int) (any, error) { return counters[i].Reset(ctx, n) })
			},
			"allow": func(r *rapid.T) {
				n, events := name.Draw(r, "name"), rapid.IntRange(0, 10).Draw(r, "events")
				both("allow", func(i int) (any, error) {
					got, err := limiters[i].Allow(ctx, n, events)
					got.RetryAfter = got.RetryAfter.Round(time.Hour)
					return got, err
				})
			},
			"forgive": func(r *rapid.T) {
				n := name.Draw(r, "name")
				both("forgive", func(i int) (any, error) { return nil, limiters[i].Reset(ctx, n) })
			},
		})
	})
}

func text(bs []bool) string {
	s := make([]byte, len(bs))
	for i, b := range bs {
		s[i] = '0'
		if b {
			s[i] = '1'
		}
	}
	return string(s)
}

// kindOf is what callers branch on.
func kindOf(err error) string {
	for _, kind := range []error{cache.ErrNotReserved, cache.ErrMismatch, cache.ErrOverflow, cache.ErrTooLarge} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return "other"
	}
	return ""
}
