package cacheotel_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheotel"
	"github.com/cohort-go/cohort/internal/oteltest"
)

// TestLoads has loaders that succeed, find nothing, fail and panic.
func TestLoads(t *testing.T) {
	r := oteltest.New(t)
	tel, err := cacheotel.New("users", cacheotel.Options{MeterProvider: r.Meters, TracerProvider: r.Traces})
	if err != nil {
		t.Fatal(err)
	}
	store, err := cache.NewMemory(cache.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := cache.New(store, cache.Options{Prefix: "users", Hooks: tel.Hooks()})
	if err != nil {
		t.Fatal(err)
	}
	stop, err := tel.Watch(c)
	if err != nil {
		t.Fatal(err)
	}
	users := cache.MustOf(c, cache.JSON[int](), cache.Policy{TTL: time.Minute})
	for _, outcome := range []error{nil, cache.ErrNotFound, errors.New("database is away"), context.Canceled} {
		_, err := users.GetOrLoad(t.Context(), oteltest.Secret, cacheotel.Load(tel, func(context.Context, string) (int, error) {
			return 1, outcome
		}))
		if !errors.Is(err, outcome) {
			t.Errorf("got %v, want %v", err, outcome)
		}
		if _, err := users.Delete(t.Context(), oteltest.Secret); err != nil {
			t.Fatal(err)
		}
	}
	_, err = users.GetOrLoad(t.Context(), oteltest.Secret, cacheotel.Load(tel, func(context.Context, string) (int, error) {
		panic("x")
	}))
	if !errors.Is(err, cache.ErrLoaderPanic) {
		t.Errorf("got %v, want ErrLoaderPanic", err)
	}
	hooks := tel.Hooks()
	hooks.Refused(oteltest.Secret)
	hooks.Corrupt(oteltest.Secret, errors.New(oteltest.Secret))
	hooks.StaleServed(oteltest.Secret, time.Second)
	hooks.Dropped()
	r.Check(t)
	if err := errors.Join(stop(), c.Close(t.Context()), store.Close(t.Context())); err != nil {
		t.Error(err)
	}
}
