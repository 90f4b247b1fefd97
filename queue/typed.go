package queue

import (
	"context"
	"errors"
	"fmt"
)

// Typed enqueues values of one type as messages of one kind.
type Typed[T any] struct {
	q     Queue
	kind  string
	codec Codec[T]
}

// Of returns a view of q for values of type T: their messages have the kind, and
// codec writes their payloads.
func Of[T any](q Queue, kind string, codec Codec[T]) Typed[T] {
	return Typed[T]{q: q, kind: kind, codec: codec}
}

// Enqueue stores v. The message m says everything but kind and payload.
func (t Typed[T]) Enqueue(ctx context.Context, v T, m Message) (ID, error) {
	if err := t.fill(&m, v); err != nil {
		return ID{}, err
	}
	return t.q.Enqueue(ctx, m)
}

// EnqueueMany stores values, each with the same m; m.ID must be zero.
func (t Typed[T]) EnqueueMany(ctx context.Context, values []T, m Message) ([]Result, error) {
	if !m.ID.IsZero() {
		return nil, fmt.Errorf("%w: one ID for many messages", ErrInvalid)
	}
	messages := make([]Message, len(values))
	var errs []error
	for i, v := range values {
		messages[i] = m
		errs = append(errs, t.fill(&messages[i], v))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return t.q.EnqueueMany(ctx, messages)
}

// Consume calls f for each message of the queue; one of another kind fails with
// [ErrUnknownKind]. Use a [Mux] for a queue of many kinds.
func (t Typed[T]) Consume(
	ctx context.Context, f func(ctx context.Context, v T, d *Delivery) error, opts ConsumeOptions,
) (*Consumer, error) {
	mux := NewMux()
	Handle(mux, t.kind, t.codec, f)
	return t.q.Consume(ctx, mux.Serve, opts)
}

func (t Typed[T]) fill(m *Message, v T) error {
	payload, err := t.codec.Encode(v)
	if err != nil {
		return fmt.Errorf("queue: encode %q: %w", t.kind, err)
	}
	m.Kind, m.Payload = t.kind, payload
	return nil
}
