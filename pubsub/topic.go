package pubsub

import (
	"context"
	"fmt"
)

// Topic sends and receives values of one type on one channel.
type Topic[T any] struct {
	ps      PubSub
	channel string
	codec   Codec[T]
}

// NewTopic returns a Topic. It does no I/O; a bad channel is reported by the
// first use.
func NewTopic[T any](ps PubSub, channel string, codec Codec[T]) *Topic[T] {
	return &Topic[T]{ps: ps, channel: channel, codec: codec}
}

// Publish sends v to every node, this one included.
func (t *Topic[T]) Publish(ctx context.Context, v T) (Receipt, error) {
	return t.send(ctx, v, false)
}

// Signal sends v to every other node: this one knows already.
func (t *Topic[T]) Signal(ctx context.Context, v T) (Receipt, error) {
	return t.send(ctx, v, true)
}

// Message returns what Publish would send, for a Scope or a transaction.
func (t *Topic[T]) Message(v T) (Message, error) {
	payload, err := t.codec.Encode(v)
	if err != nil {
		return Message{}, opError("encode", t.channel, err)
	}
	return Message{Channel: t.channel, Payload: payload}, nil
}

func (t *Topic[T]) send(ctx context.Context, v T, skipSelf bool) (Receipt, error) {
	m, err := t.Message(v)
	if err != nil {
		return Receipt{Err: err}, err
	}
	m.SkipSelf = skipSelf
	receipts, err := t.ps.Publish(ctx, m)
	return receipts[0], err
}

// Subscribe calls h for each value. A payload that the codec refuses counts as a
// failure of the handler, with ErrDecode, and is not tried again.
func (t *Topic[T]) Subscribe(ctx context.Context, h func(ctx context.Context, v T, m *Delivery) error, o SubscribeOptions) (Subscription, error) {
	if h == nil {
		return nil, opError("subscribe", t.channel, ErrNilHandler)
	}
	return t.ps.Subscribe(ctx, t.channel, func(ctx context.Context, m *Delivery) error {
		v, err := t.codec.Decode(m.Payload)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrDecode, err)
		}
		return h(ctx, v, m)
	}, o)
}
