// Package lockotel turns what a Locker tells its Hooks into OpenTelemetry metrics
// and spans. Times are in seconds. No metric has the name of a lock; spans have.
//
//	hooks, err := lockotel.New(lockotel.Options{})
//	locker, err := lockredis.New(client, lockredis.Options{Options: lock.Options{Hooks: hooks}})
package lockotel

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/cohort-go/cohort/internal/instrument"
	"github.com/cohort-go/cohort/lock"
)

const scope = "github.com/cohort-go/cohort/lock/lockotel"

// Attributes of metrics (the end of a lease: released or lost) and of spans.
const (
	endKey   = attribute.Key("cohort.lock.end")
	nameKey  = attribute.Key("cohort.lock.name")
	fenceKey = attribute.Key("cohort.lock.fence")
)

// Options tune the Hooks. The zero value of each field means the global provider.
type Options struct {
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
}

// New returns what the Locker's Options take. Each grant is a span that lasts from
// the call until the grant.
func New(o Options) (lock.Hooks, error) {
	known := instrument.Failure{lock.ErrLost, lock.ErrUncertain, lock.ErrClosed}
	meter, tracer := instrument.NewMeter(o.MeterProvider, scope), instrument.NewTracer(o.TracerProvider, scope)
	waits := meter.Seconds("cohort.lock.acquire.duration", "Time from the call until the grant of a lock.")
	holds := meter.Seconds("cohort.lock.hold.duration", "Time from the grant of a lock until its end.")
	failed := meter.Count("cohort.lock.renewal.failures", "{renewal}", "Renewals of leases that had no answer.")
	if err := meter.Err(); err != nil {
		return lock.Hooks{}, fmt.Errorf("lockotel: %w", err)
	}
	released, lost := metric.WithAttributes(endKey.String("released")), metric.WithAttributes(endKey.String("lost"))
	return lock.Hooks{
		Acquired: func(ctx context.Context, l *lock.Lease, waited time.Duration) {
			waits.Record(ctx, waited.Seconds())
			instrument.Past(ctx, tracer, "acquire lock", waited,
				nameKey.String(l.Name()), fenceKey.Int64(int64(l.Fence())))
		},
		Released: func(_ *lock.Lease, held time.Duration) {
			holds.Record(context.Background(), held.Seconds(), released)
		},
		Lost: func(_ *lock.Lease, held time.Duration, _ error) {
			holds.Record(context.Background(), held.Seconds(), lost)
		},
		RenewFailed: func(_ string, err error) {
			failed.Add(context.Background(), 1, metric.WithAttributes(known.Attributes(err)...))
		},
	}, nil
}
