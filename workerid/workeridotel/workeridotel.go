// Package workeridotel turns what an Allocator tells its Hooks into OpenTelemetry
// metrics. No metric has a worker number.
//
//	hooks, err := workeridotel.New(workeridotel.Options{})
//	numbers, err := workeridredis.New(client, workeridredis.Options{Options: workerid.Options{Hooks: hooks}})
package workeridotel

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel/metric"

	"github.com/cohort-go/cohort/internal/instrument"
	"github.com/cohort-go/cohort/workerid"
)

const scope = "github.com/cohort-go/cohort/workerid/workeridotel"

// Options tune the Hooks. The zero value of each field means the global provider.
type Options struct {
	MeterProvider metric.MeterProvider
}

// New returns what the Allocator's Options take.
func New(o Options) (workerid.Hooks, error) {
	known := instrument.Failure{workerid.ErrLost, workerid.ErrConfigMismatch, workerid.ErrClosed}
	meter := instrument.NewMeter(o.MeterProvider, scope)
	held := meter.UpDown("cohort.workerid.leases", "{lease}", "Worker numbers that this process holds.")
	lost := meter.Count("cohort.workerid.losses", "{lease}", "Worker numbers that were lost.")
	renewals := meter.Count("cohort.workerid.renewals", "{renewal}", "Attempts at a renewal of a worker number.")
	if err := meter.Err(); err != nil {
		return workerid.Hooks{}, fmt.Errorf("workeridotel: %w", err)
	}
	ctx := context.Background()
	return workerid.Hooks{
		Acquired: func(int, int64) { held.Add(ctx, 1) },
		Renewed: func(_ int, err error) {
			renewals.Add(ctx, 1, metric.WithAttributes(known.Attributes(err)...))
		},
		Ended: func(_ int, cause error) {
			held.Add(ctx, -1)
			if errors.Is(cause, workerid.ErrLost) {
				lost.Add(ctx, 1)
			}
		},
	}, nil
}
