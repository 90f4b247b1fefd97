package pubsubotel_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/cohort-go/cohort/internal/oteltest"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubotel"
)

// TestSignal follows a message from its publisher to a handler that fails.
func TestSignal(t *testing.T) {
	r := oteltest.New(t)
	tel, err := pubsubotel.New(pubsubotel.Options{MeterProvider: r.Meters, TracerProvider: r.Traces, System: "redis"})
	if err != nil {
		t.Fatal(err)
	}
	ps, err := pubsub.NewMemory(pubsub.Options{Hooks: tel.Hooks()})
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan trace.SpanContext, 1)
	_, err = ps.Subscribe(t.Context(), "orders.*", tel.Process(func(ctx context.Context, _ *pubsub.Delivery) error {
		handled <- trace.SpanContextFromContext(ctx)
		return errors.New("no")
	}), pubsub.SubscribeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := pubsub.Message{Channel: "orders." + oteltest.Secret, Key: oteltest.Secret, Payload: []byte(oteltest.Secret)}
	ctx, end := tel.Send(t.Context(), &m)
	_, err = ps.Publish(ctx, m)
	end(err)
	if err != nil {
		t.Fatal(err)
	}
	sent := trace.SpanContextFromContext(ctx)
	if got := <-handled; got.TraceID() != sent.TraceID() || got.SpanID() == sent.SpanID() {
		t.Errorf("the handler's span is %v, want one in the trace of %v", got, sent)
	}
	if err := ps.Close(t.Context()); err != nil {
		t.Error(err)
	}
	hooks := tel.Hooks()
	hooks.Published(3, time.Millisecond, pubsub.ErrUncertain)
	hooks.Gap(oteltest.Secret, pubsub.Gap{Reason: pubsub.GapTrimmed, Missed: -1})
	hooks.Stale(errors.New(oteltest.Secret))
	r.Check(t)
}
