package instrument

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
	"go.opentelemetry.io/otel/trace"
)

// Options are those of an area that carries messages. The zero value of each
// field means its default.
type Options struct {
	// MeterProvider and TracerProvider take what is recorded. Default: the global
	// ones.
	MeterProvider  metric.MeterProvider
	TracerProvider trace.TracerProvider
	// Propagator writes the trace context into messages and reads it. Default: the
	// W3C trace context and baggage.
	Propagator propagation.TextMapPropagator
	// System is the attribute messaging.system. Default "cohort".
	System string
}

// Messaging records messages by the semantic conventions for messaging systems.
type Messaging struct {
	Meter   *Meter
	Failure Failure

	tracer      trace.Tracer
	propagator  propagation.TextMapPropagator
	destination string
	base        []attribute.KeyValue

	sent      messagingconv.ClientSentMessages
	consumed  messagingconv.ClientConsumedMessages
	operation messagingconv.ClientOperationDuration
	process   messagingconv.ProcessDuration
}

// NewMessaging returns the Messaging of a destination; "" leaves that open.
func NewMessaging(scope, destination string, o Options, known Failure) (*Messaging, error) {
	if o.System == "" {
		o.System = "cohort"
	}
	if o.Propagator == nil {
		o.Propagator = propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	}
	m := &Messaging{
		Meter: NewMeter(o.MeterProvider, scope), Failure: known, tracer: NewTracer(o.TracerProvider, scope),
		propagator: o.Propagator, destination: destination,
		base: []attribute.KeyValue{semconv.MessagingSystemKey.String(o.System)},
	}
	if destination != "" {
		m.base = append(m.base, semconv.MessagingDestinationName(destination))
	}
	var errs [4]error
	m.sent, errs[0] = messagingconv.NewClientSentMessages(m.Meter)
	m.consumed, errs[1] = messagingconv.NewClientConsumedMessages(m.Meter)
	m.operation, errs[2] = messagingconv.NewClientOperationDuration(m.Meter, buckets())
	m.process, errs[3] = messagingconv.NewProcessDuration(m.Meter, buckets())
	return m, errors.Join(errs[:]...)
}

// attributes are those of an operation of a type of the conventions, and what became of it.
func (m *Messaging) attributes(name, kind string, err error, more ...attribute.KeyValue) metric.MeasurementOption {
	all := make([]attribute.KeyValue, 0, len(m.base)+len(more)+3)
	all = append(append(all, m.base...), more...)
	all = append(all, semconv.MessagingOperationName(name))
	if kind != "" {
		all = append(all, semconv.MessagingOperationTypeKey.String(kind))
	}
	return metric.WithAttributes(append(all, m.Failure.Attributes(err)...)...)
}

// Sent counts messages that were sent, or were not.
func (m *Messaging) Sent(ctx context.Context, n int, err error) {
	m.sent.Inst().Add(ctx, int64(n), m.attributes("send", "", err))
}

// Consumed counts messages that came to this process.
func (m *Messaging) Consumed(ctx context.Context, n int) {
	m.consumed.Inst().Add(ctx, int64(n), m.attributes("receive", "", nil))
}

// Operation records how long a request took: kind is "send" or "receive".
func (m *Messaging) Operation(ctx context.Context, kind string, took time.Duration, err error) {
	m.operation.Inst().Record(ctx, took.Seconds(), m.attributes(kind, kind, err))
}

// Processed records how long a handler took.
func (m *Messaging) Processed(ctx context.Context, took time.Duration, err error, more ...attribute.KeyValue) {
	m.process.Inst().Record(ctx, took.Seconds(), m.attributes("process", "", err, more...))
}

// Send begins the span of a message that is sent and puts its context into
// header. The caller's map stays as it is.
func (m *Messaging) Send(ctx context.Context, header *map[string]string) (context.Context, func(error)) {
	began := time.Now()
	ctx, end := m.start(ctx, "send", trace.SpanKindProducer)
	carrier := make(propagation.MapCarrier, len(*header)+2)
	maps.Copy(carrier, *header)
	m.propagator.Inject(ctx, carrier)
	if len(carrier) > 0 {
		*header = carrier
	}
	return ctx, func(err error) {
		m.Operation(ctx, "send", time.Since(began), err)
		end(err)
	}
}

// Process runs a handler in a span below the one that sent the message with this
// header. One that panics ends the span with the error panicked.
func (m *Messaging) Process(ctx context.Context, header map[string]string, panicked error, handle func(context.Context) error) (err error) {
	ctx = m.propagator.Extract(ctx, propagation.MapCarrier(header))
	ctx, end := m.start(ctx, "process", trace.SpanKindConsumer)
	err = panicked // unless handle returns
	defer func() { end(err) }()
	err = handle(ctx)
	return err
}

func (m *Messaging) start(ctx context.Context, operation string, kind trace.SpanKind) (context.Context, func(error)) {
	name := operation
	if m.destination != "" {
		name += " " + m.destination
	}
	return m.Failure.Start(ctx, m.tracer, name, trace.WithSpanKind(kind), trace.WithAttributes(m.base...),
		trace.WithAttributes(semconv.MessagingOperationName(operation), semconv.MessagingOperationTypeKey.String(operation)))
}

// Base are the attributes that all metrics have in common.
func (m *Messaging) Base() []attribute.KeyValue { return slices.Clip(m.base) }
