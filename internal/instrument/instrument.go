// Package instrument makes the OpenTelemetry instruments of the areas, so that
// all are alike: times in seconds with the buckets of the semantic conventions,
// and one way to name an error. It uses the API of OpenTelemetry alone.
package instrument

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Meter makes instruments and remembers what went wrong with one.
type Meter struct {
	metric.Meter

	errs []error
}

// NewMeter returns the Meter of a scope, from the global provider if p is nil.
func NewMeter(p metric.MeterProvider, scope string) *Meter {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	return &Meter{Meter: p.Meter(scope, metric.WithSchemaURL(semconv.SchemaURL))}
}

// NewTracer returns the tracer of a scope, from the global provider if p is nil.
func NewTracer(p trace.TracerProvider, scope string) trace.Tracer {
	if p == nil {
		p = otel.GetTracerProvider()
	}
	return p.Tracer(scope, trace.WithSchemaURL(semconv.SchemaURL))
}

// buckets are those that the conventions advise for times, in seconds, and finer
// ones before them: much here takes less than a millisecond.
func buckets() metric.HistogramOption {
	return metric.WithExplicitBucketBoundaries(0.0001, 0.0005, 0.001, 0.0025,
		0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
}

// Seconds makes a histogram of times.
func (m *Meter) Seconds(name, description string) metric.Float64Histogram {
	h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(description), buckets())
	m.note(err)
	return h
}

// Count makes a counter; unit is one of the things counted, as "{lease}".
func (m *Meter) Count(name, unit, description string) metric.Int64Counter {
	c, err := m.Int64Counter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.note(err)
	return c
}

// UpDown makes a counter of what is there now.
func (m *Meter) UpDown(name, unit, description string) metric.Int64UpDownCounter {
	c, err := m.Int64UpDownCounter(name, metric.WithUnit(unit), metric.WithDescription(description))
	m.note(err)
	return c
}

func (m *Meter) note(err error) {
	if err != nil {
		m.errs = append(m.errs, err)
	}
}

// Err is nil if all instruments could be made.
func (m *Meter) Err() error { return errors.Join(m.errs...) }

// Failure names the kind of an error.
type Failure []error

// Attributes are none for nil, else error.type: the text of the sentinel of f that
// err is, "timeout" or "canceled", or "_OTHER".
func (f Failure) Attributes(err error) []attribute.KeyValue {
	if err == nil {
		return nil
	}
	return []attribute.KeyValue{f.kind(err)}
}

func (f Failure) kind(err error) attribute.KeyValue {
	for _, sentinel := range f {
		if errors.Is(err, sentinel) {
			return semconv.ErrorTypeKey.String(sentinel.Error())
		}
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return semconv.ErrorTypeKey.String("timeout")
	case errors.Is(err, context.Canceled):
		return semconv.ErrorTypeKey.String("canceled")
	}
	return semconv.ErrorTypeOther
}

// Start begins a span, which the caller ends with what became of it.
func (f Failure) Start(
	ctx context.Context, tracer trace.Tracer, name string, options ...trace.SpanStartOption,
) (context.Context, func(error)) {
	ctx, span := tracer.Start(ctx, name, options...) //nolint:spancheck // what is returned ends it
	return ctx, func(err error) {                    //nolint:spancheck // likewise
		if err != nil {
			span.RecordError(err)
			span.SetStatus(codes.Error, "")
			span.SetAttributes(f.kind(err))
		}
		span.End()
	}
}

// Past records a span of what took so long until now.
func Past(ctx context.Context, tracer trace.Tracer, name string, took time.Duration, attributes ...attribute.KeyValue) {
	_, span := tracer.Start(ctx, name, trace.WithTimestamp(time.Now().Add(-took)), trace.WithAttributes(attributes...))
	span.End()
}
