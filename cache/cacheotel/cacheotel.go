// Package cacheotel turns what a Cache tells its Hooks, and its Stats, into
// OpenTelemetry metrics and spans. Times are in seconds. Neither has a key.
//
//	tel, err := cacheotel.New("users", cacheotel.Options{})
//	c, err := cache.New(store, cache.Options{Prefix: "users", Hooks: tel.Hooks()})
//	stop, err := tel.Watch(c)
//	u, err := users.GetOrLoad(ctx, "42", cacheotel.Load(tel, loadUser))
//
// The requests to Redis behind a Cache are the client's to record, by the
// conventions for databases.
package cacheotel

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/instrument"
)

const scope = "github.com/cohort-go/cohort/cache/cacheotel"

const nameKey = attribute.Key("cohort.cache.name")

// Options tune a Telemetry. The zero value of each field means the global
// provider.
type Options struct {
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
}

// Telemetry records what happens in one Cache. It is safe for concurrent use.
type Telemetry struct {
	meter   *instrument.Meter
	tracer  trace.Tracer
	failure instrument.Failure
	name    attribute.KeyValue

	loads, stale              metric.Float64Histogram
	refused, corrupt, dropped metric.Int64Counter
}

// New returns the Telemetry of the Cache that goes by name, as its Prefix.
func New(name string, o Options) (*Telemetry, error) {
	m := instrument.NewMeter(o.MeterProvider, scope)
	t := &Telemetry{
		meter: m, tracer: instrument.NewTracer(o.TracerProvider, scope), name: nameKey.String(name),
		failure: instrument.Failure{cache.ErrLoaderPanic, cache.ErrUnavailable, cache.ErrClosed},
		loads:   m.Seconds("cohort.cache.load.duration", "Time that loaders took."),
		stale:   m.Seconds("cohort.cache.stale.age", "Age of the stale values that callers got."),
		refused: m.Count("cohort.cache.loads.refused", "{load}", "Loaded values that were not kept, because the key changed meanwhile."),
		corrupt: m.Count("cohort.cache.entries.corrupt", "{entry}", "Entries that could not be decoded."),
		dropped: m.Count("cohort.cache.resets", "{reset}", "Times that all local copies were dropped."),
	}
	if err := m.Err(); err != nil {
		return nil, fmt.Errorf("cacheotel: %w", err)
	}
	return t, nil
}

// Hooks returns what the Cache's Options take.
func (t *Telemetry) Hooks() *cache.Hooks {
	base, none := metric.WithAttributes(t.name), context.Background()
	return &cache.Hooks{
		Loaded: func(ctx context.Context, _ string, took time.Duration, err error) {
			t.loads.Record(ctx, took.Seconds(), base, metric.WithAttributes(t.failure.Attributes(failed(err))...))
		},
		Refused:     func(string) { t.refused.Add(none, 1, base) },
		Corrupt:     func(string, error) { t.corrupt.Add(none, 1, base) },
		StaleServed: func(_ string, age time.Duration) { t.stale.Record(none, age.Seconds(), base) },
		Dropped:     func() { t.dropped.Add(none, 1, base) },
	}
}

// failed drops the answer that there is no such value: it is no failure.
func failed(err error) error {
	if errors.Is(err, cache.ErrNotFound) {
		return nil
	}
	return err
}

// Load returns next in a span of its own.
func Load[T any](t *Telemetry, next cache.Loader[T]) cache.Loader[T] {
	return func(ctx context.Context, key string) (v T, err error) {
		ctx, end := t.failure.Start(ctx, t.tracer, "load "+t.name.Value.AsString(), trace.WithAttributes(t.name))
		err = cache.ErrLoaderPanic // unless next returns
		defer func() { end(failed(err)) }()
		v, err = next(ctx, key)
		return v, err
	}
}
