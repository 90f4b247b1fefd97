package queueotel_test

import (
	"context"
	"errors"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/cohort-go/cohort/internal/oteltest"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueotel"
)

// TestJob follows a message from its sender to a handler that fails once.
func TestJob(t *testing.T) {
	r := oteltest.New(t)
	tel, err := queueotel.New("mails", queueotel.Options{MeterProvider: r.Meters, TracerProvider: r.Traces})
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.NewMemory("mails", queue.MemoryOptions{Options: queue.Options{Hooks: tel.Hooks()}})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	stop, err := tel.Watch(q)
	if err != nil {
		t.Fatal(err)
	}
	handled := make(chan trace.SpanContext, 2)
	_, err = q.Consume(t.Context(), func(ctx context.Context, d *queue.Delivery) error {
		handled <- trace.SpanContextFromContext(ctx)
		if d.Attempt == 1 {
			return queue.RetryIn(0, errors.New("not yet"))
		}
		return nil
	}, queue.ConsumeOptions{Middleware: []queue.Middleware{tel.Process}})
	if err != nil {
		t.Fatal(err)
	}
	mine := map[string]string{"own": "header"}
	m := queue.Message{
		Kind: oteltest.Secret, Key: oteltest.Secret, Payload: []byte(oteltest.Secret), Header: mine,
		ID: queue.IDOf(oteltest.Secret),
	}
	ctx, end := tel.Send(t.Context(), &m)
	_, err = q.Enqueue(ctx, m)
	end(err)
	if err != nil {
		t.Fatal(err)
	}
	if len(mine) != 1 || m.Header["own"] != "header" || m.Header["traceparent"] == "" {
		t.Errorf("the caller's map is %v, the message's %v", mine, m.Header)
	}
	sent := trace.SpanContextFromContext(ctx)
	for range 2 {
		if got := <-handled; got.TraceID() != sent.TraceID() || got.SpanID() == sent.SpanID() {
			t.Errorf("the handler's span is %v, want one in the trace of %v", got, sent)
		}
	}
	if err := q.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{Payload: make([]byte, 2<<20)}); err == nil {
		t.Error("too large a message was taken")
	}
	tel.Hooks().LeaseLost(nil)
	ctx, end = tel.Send(t.Context(), &m)
	_, err = q.Enqueue(ctx, m) // a duplicate
	end(err)
	panicking := tel.Process(func(context.Context, *queue.Delivery) error { panic("x") })
	func() {
		defer func() { _ = recover() }()
		_ = panicking(t.Context(), &queue.Delivery{})
	}()
	r.Check(t)
	if err := stop(); err != nil {
		t.Error(err)
	}
	if _, there := r.Metrics(t)["cohort.queue.messages"]; there {
		t.Error("watched after stop")
	}
}
