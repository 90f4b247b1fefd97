// Package pubsubotel turns what a PubSub tells its Hooks into OpenTelemetry
// metrics and spans, by the semantic conventions for messaging systems. Times are
// in seconds. No metric has the channel, the key or the payload of a message.
//
//	tel, err := pubsubotel.New(pubsubotel.Options{})
//	ps, err := pubsubredis.New(client, pubsubredis.Options{Options: pubsub.Options{Hooks: tel.Hooks()}})
//	s, err := ps.Subscribe(ctx, "orders.>", tel.Process(handle), pubsub.SubscribeOptions{})
//
// A trace goes on from the publisher to the handler, in the message's Headers:
//
//	ctx, end := tel.Send(ctx, &message)
//	_, err := ps.Publish(ctx, message)
//	end(err)
package pubsubotel

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/cohort-go/cohort/internal/instrument"
	"github.com/cohort-go/cohort/pubsub"
)

const scope = "github.com/cohort-go/cohort/pubsub/pubsubotel"

// reasonKey says why messages were missed, such as trimmed.
const reasonKey = attribute.Key("cohort.pubsub.gap.reason")

// Options tune a Telemetry. The zero value of each field means its default.
type Options = instrument.Options

// Telemetry records what happens in one PubSub. It is safe for concurrent use.
type Telemetry struct {
	messaging          *instrument.Messaging
	gaps, missed, cuts metric.Int64Counter
}

// New returns a Telemetry.
func New(o Options) (*Telemetry, error) {
	m, err := instrument.NewMessaging(scope, "", o, instrument.Failure{
		pubsub.ErrTooLarge, pubsub.ErrUncertain, pubsub.ErrNotReplicated, pubsub.ErrNotReady,
		pubsub.ErrClosed, pubsub.ErrDecode, pubsub.ErrPanic,
	})
	if err != nil {
		return nil, fmt.Errorf("pubsubotel: %w", err)
	}
	t := &Telemetry{
		messaging: m,
		gaps:      m.Meter.Count("cohort.pubsub.gaps", "{gap}", "Notices that messages were missed, one for each subscription."),
		missed:    m.Meter.Count("cohort.pubsub.missed", "{message}", "Messages that gaps stand for, as far as known."),
		cuts:      m.Meter.Count("cohort.pubsub.interruptions", "{interruption}", "Times that this node was cut off from the feed."),
	}
	if err := m.Meter.Err(); err != nil {
		return nil, fmt.Errorf("pubsubotel: %w", err)
	}
	return t, nil
}

// Hooks returns what the PubSub's Options take.
func (t *Telemetry) Hooks() *pubsub.Hooks {
	base := metric.WithAttributes(t.messaging.Base()...)
	return &pubsub.Hooks{
		Published: func(messages int, took time.Duration, err error) {
			t.messaging.Sent(context.Background(), messages, err)
			t.messaging.Operation(context.Background(), "send", took, err)
		},
		Handled: func(ctx context.Context, _ *pubsub.Delivery, took time.Duration, err error) {
			t.messaging.Consumed(ctx, 1)
			t.messaging.Processed(ctx, took, err)
		},
		Gap: func(_ string, g pubsub.Gap) {
			why := metric.WithAttributes(reasonKey.String(g.Reason.String()))
			t.gaps.Add(context.Background(), 1, base, why)
			t.missed.Add(context.Background(), max(g.Missed, 0), base, why)
		},
		Stale: func(error) { t.cuts.Add(context.Background(), 1, base) },
	}
}

// Send begins the span of sending m, and puts its context into m's Headers. The
// caller calls end with what Publish returned.
func (t *Telemetry) Send(ctx context.Context, m *pubsub.Message) (spanned context.Context, end func(error)) {
	return t.messaging.Send(ctx, &m.Headers)
}

// Process returns next in a span below the one that sent the message.
func (t *Telemetry) Process(next pubsub.Handler) pubsub.Handler {
	return func(ctx context.Context, d *pubsub.Delivery) error {
		return t.messaging.Process(ctx, d.Headers, pubsub.ErrPanic, func(ctx context.Context) error { return next(ctx, d) })
	}
}
