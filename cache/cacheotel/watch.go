package cacheotel

import (
	"context"
	"fmt"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/cohort-go/cohort/cache"
)

// resultKey says where an answer came from.
const resultKey = attribute.Key("cohort.cache.result")

// Watch reports at each collection where the answers of c came from, and how many
// copies it keeps. It asks no server. The caller calls stop before c closes.
func (t *Telemetry) Watch(c *cache.Cache) (stop func() error, err error) {
	answers, err := t.meter.Int64ObservableCounter("cohort.cache.requests",
		metric.WithUnit("{request}"), metric.WithDescription("Reads, by where their answer came from."))
	if err != nil {
		return nil, fmt.Errorf("cacheotel: %w", err)
	}
	entries, err := t.meter.Int64ObservableGauge("cohort.cache.local.entries",
		metric.WithUnit("{entry}"), metric.WithDescription("Copies that this process keeps."))
	if err != nil {
		return nil, fmt.Errorf("cacheotel: %w", err)
	}
	base := metric.WithAttributes(t.name)
	r, err := t.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		s := c.Stats()
		for result, n := range map[string]uint64{
			"local": s.L1Hits, "shared": s.L2Hits, "stale": s.Stale, "miss": s.Misses, "unavailable": s.Unavailable,
		} {
			o.ObserveInt64(answers, int64(n), base, metric.WithAttributes(resultKey.String(result)))
		}
		o.ObserveInt64(entries, int64(s.L1Entries), base)
		return nil
	}, answers, entries)
	if err != nil {
		return nil, fmt.Errorf("cacheotel: %w", err)
	}
	return r.Unregister, nil
}
