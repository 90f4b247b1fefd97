// Package queueotel turns what a queue tells its Hooks into OpenTelemetry metrics
// and spans, by the semantic conventions for messaging systems. Times are in
// seconds. No metric has the ID, the kind, the key or the payload of a message.
//
//	tel, err := queueotel.New("mails", queueotel.Options{})
//	q, err := queueredis.New(client, "mails", queueredis.Options{Options: queue.Options{Hooks: tel.Hooks()}})
//	stop, err := tel.Watch(q.(queue.Inspector))
//	c, err := q.Consume(ctx, handle, queue.ConsumeOptions{Middleware: []queue.Middleware{tel.Process}})
//
// A trace goes on from the producer to the handler, in the message's Header:
//
//	ctx, end := tel.Send(ctx, &message)
//	_, err := q.Enqueue(ctx, message)
//	end(err)
package queueotel

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/cohort-go/cohort/internal/instrument"
	"github.com/cohort-go/cohort/queue"
)

const scope = "github.com/cohort-go/cohort/queue/queueotel"

// Attributes beyond those of the conventions.
const (
	outcomeKey = attribute.Key("cohort.queue.outcome") // how a message goes on: done, retry, dead …
	stateKey   = attribute.Key("cohort.queue.state")
)

// Options tune a Telemetry. The zero value of each field means its default.
type Options = instrument.Options

// Telemetry records what happens in one queue. It is safe for concurrent use.
type Telemetry struct {
	messaging *instrument.Messaging
	lost      metric.Int64Counter
}

// New returns the Telemetry of the queue of that name.
func New(name string, o Options) (*Telemetry, error) {
	m, err := instrument.NewMessaging(scope, name, o, failures())
	if err != nil {
		return nil, fmt.Errorf("queueotel: %w", err)
	}
	t := &Telemetry{messaging: m}
	t.lost = m.Meter.Count("cohort.queue.leases.lost", "{lease}", "Leases of messages that ended before their handler did.")
	if err := m.Meter.Err(); err != nil {
		return nil, fmt.Errorf("queueotel: %w", err)
	}
	return t, nil
}

func failures() instrument.Failure {
	return instrument.Failure{
		queue.ErrDuplicate, queue.ErrQueueFull, queue.ErrPayloadTooLarge, queue.ErrUncertain, queue.ErrUnsupported,
		queue.ErrClosed, queue.ErrTimeout, queue.ErrLeaseLost, queue.ErrShutdown, queue.ErrHandlerPanic, queue.ErrUnknownKind,
	}
}

// Hooks returns what the queue's Options take.
func (t *Telemetry) Hooks() queue.Hooks {
	return queue.Hooks{
		Enqueued: func(ctx context.Context, _ *queue.Envelope, err error) { t.messaging.Sent(ctx, 1, err) },
		Finished: func(ctx context.Context, _ *queue.Delivery, v queue.Verb, err error, took time.Duration) {
			t.messaging.Processed(ctx, took, err, outcomeKey.String(v.String()))
		},
		LeaseLost: func(*queue.Delivery) {
			t.lost.Add(context.Background(), 1, metric.WithAttributes(t.messaging.Base()...))
		},
		Claimed: func(n int, took time.Duration) {
			t.messaging.Consumed(context.Background(), n)
			t.messaging.Operation(context.Background(), "receive", took, nil)
		},
	}
}

// Send begins the span of sending m, and puts its context into m's Header. The
// caller calls end with what Enqueue returned.
func (t *Telemetry) Send(ctx context.Context, m *queue.Message) (spanned context.Context, end func(error)) {
	return t.messaging.Send(ctx, &m.Header)
}

// Process is a [queue.Middleware]: the handler runs in a span below the one that
// sent the message.
func (t *Telemetry) Process(next queue.Handler) queue.Handler {
	return func(ctx context.Context, d *queue.Delivery) error {
		return t.messaging.Process(ctx, d.Header, queue.ErrHandlerPanic, func(ctx context.Context) error { return next(ctx, d) })
	}
}

// Watch reports at each collection how many messages are in which state. That is
// one request to the backend, so let one process of a cluster do it, or few. The
// caller calls stop before the queue closes.
func (t *Telemetry) Watch(i queue.Inspector) (stop func() error, err error) {
	gauge, err := t.messaging.Meter.Int64ObservableGauge("cohort.queue.messages",
		metric.WithUnit("{message}"), metric.WithDescription("Messages in a state."))
	if err != nil {
		return nil, fmt.Errorf("queueotel: %w", err)
	}
	r, err := t.messaging.Meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
		s, err := i.Stats(ctx)
		if err != nil {
			return fmt.Errorf("queueotel: %w", err)
		}
		for state, n := range map[queue.State]int{
			queue.StateReady: s.ReadyTotal(), queue.StateWaiting: s.Waiting, queue.StateInFlight: s.InFlight,
			queue.StateDelayed: s.Delayed, queue.StateDead: s.Dead, queue.StateFinished: s.Finished,
		} {
			o.ObserveInt64(gauge, int64(n), metric.WithAttributes(t.messaging.Base()...),
				metric.WithAttributes(stateKey.String(string(state))))
		}
		return nil
	}, gauge)
	if err != nil {
		return nil, fmt.Errorf("queueotel: %w", err)
	}
	return r.Unregister, nil
}
