package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheotel"
	"github.com/cohort-go/cohort/lock/lockotel"
	"github.com/cohort-go/cohort/pubsub/pubsubotel"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueotel"
	"github.com/cohort-go/cohort/workerid/workeridotel"
)

// The names that the shop opens.
const (
	pricesCache = "prices"
	ordersQueue = "orders"
)

// telemetry is what the hooks of the areas report to.
type telemetry struct {
	provider *metric.MeterProvider
	node     cohort.Hooks
	prices   *cacheotel.Telemetry
	orders   *queueotel.Telemetry
	signals  *pubsubotel.Telemetry
}

// newTelemetry makes the exporter the global one, which all areas use by default.
// An application that traces sets a tracer provider as well.
func newTelemetry() (*telemetry, error) {
	exporter, err := prometheus.New()
	if err != nil {
		return nil, err
	}
	t := &telemetry{provider: metric.NewMeterProvider(metric.WithReader(exporter))}
	otel.SetMeterProvider(t.provider)
	var errs [5]error
	t.prices, errs[0] = cacheotel.New(pricesCache, cacheotel.Options{})
	t.orders, errs[1] = queueotel.New(ordersQueue, queueotel.Options{})
	t.signals, errs[2] = pubsubotel.New(pubsubotel.Options{})
	t.node.Lock, errs[3] = lockotel.New(lockotel.Options{})
	t.node.Worker, errs[4] = workeridotel.New(workeridotel.Options{})
	return t, errors.Join(errs[:]...)
}

// hooks are what the node takes. The shop has one cache and one queue; with more,
// each has a telemetry of its own name.
func (t *telemetry) hooks() cohort.Hooks {
	t.node.PubSub = t.signals.Hooks()
	t.node.Cache = func(string) *cache.Hooks { return t.prices.Hooks() }
	t.node.Queue = func(string) queue.Hooks { return t.orders.Hooks() }
	return t.node
}

func (t *telemetry) close(ctx context.Context) error { return t.provider.Shutdown(ctx) }
