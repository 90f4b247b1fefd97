package pubsubtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func silentGap(context.Context, pubsub.Gap) error { return nil }

func doubled(h pubsub.Handler) pubsub.Handler {
	return func(ctx context.Context, d *pubsub.Delivery) error {
		_ = h(ctx, d)
		return h(ctx, d)
	}
}

func swallow(h pubsub.Handler) pubsub.Handler {
	return func(ctx context.Context, d *pubsub.Delivery) error {
		defer func() { _ = recover() }()
		return h(ctx, d)
	}
}

// once gives each handler only a moment.
func once(h pubsub.Handler) pubsub.Handler {
	return func(ctx context.Context, d *pubsub.Delivery) error {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return h(ctx, d)
	}
}

// untold keeps the end of the subscription from the handler.
func untold(h pubsub.Handler) pubsub.Handler {
	return func(ctx context.Context, d *pubsub.Delivery) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		return h(ctx, d)
	}
}

// lateListener drops what comes in the first moment.
type lateListener struct{ pubsub.Backend }

func (b lateListener) Listen(ctx context.Context, bus int, node string, f pubsub.Feed) (pubsub.Listener, error) {
	entries, deaf := f.Entries, 1
	f.Entries = func(e []pubsub.Entry) {
		if deaf > 0 {
			deaf--
			return
		}
		entries(e)
	}
	return b.Backend.Listen(ctx, bus, node, f)
}

// shuffled hands batches on in another order on each node.
type shuffled struct{ pubsub.Backend }

func (b shuffled) Listen(ctx context.Context, bus int, node string, f pubsub.Feed) (pubsub.Listener, error) {
	entries := f.Entries
	var held []pubsub.Entry
	f.Entries = func(e []pubsub.Entry) {
		if held == nil && rand.IntN(2) == 0 {
			held = e
			return
		}
		entries(e)
		if held != nil {
			entries(held)
			held = nil
		}
	}
	return b.Backend.Listen(ctx, bus, node, f)
}

type unready struct{ pubsub.Backend }

func (unready) Members(context.Context, int) ([]string, error) { return nil, errMutant }

type crowded struct{ pubsub.Backend }

func (b crowded) Inspect(ctx context.Context, bus int) (pubsub.BusInfo, error) {
	info, err := b.Backend.(pubsub.InspectBackend).Inspect(ctx, bus)
	info.Nodes = append(info.Nodes, pubsub.NodeInfo{Name: "another", Heard: info.Now})
	return info, err
}

type greedy struct{ pubsub.PubSub }

func (g greedy) Subscribe(ctx context.Context, pattern string, h pubsub.Handler, o pubsub.SubscribeOptions) (pubsub.Subscription, error) {
	if pattern == "a.*" {
		pattern = "a.>"
	}
	return g.PubSub.Subscribe(ctx, pattern, h, o)
}

// oneAtATime runs all handlers under one lock.
type oneAtATime struct {
	pubsub.PubSub

	turn chan struct{}
}

func (s *oneAtATime) Subscribe(ctx context.Context, pattern string, h pubsub.Handler, o pubsub.SubscribeOptions) (pubsub.Subscription, error) {
	if s.turn == nil {
		s.turn = make(chan struct{}, 1)
	}
	return s.PubSub.Subscribe(ctx, pattern, func(ctx context.Context, d *pubsub.Delivery) error {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
		return h(ctx, d)
	}, o)
}

type hasty struct{ pubsub.PubSub }

func (s hasty) Subscribe(ctx context.Context, pattern string, h pubsub.Handler, o pubsub.SubscribeOptions) (pubsub.Subscription, error) {
	sub, err := s.PubSub.Subscribe(ctx, pattern, h, o)
	return hastySubscription{sub}, err
}

type hastySubscription struct{ pubsub.Subscription }

func (hastySubscription) WaitFor(context.Context, pubsub.Position) error { return nil }

// partial sends what it can of a call that must be refused.
type partial struct{ pubsub.PubSub }

func (s partial) Publish(ctx context.Context, messages ...pubsub.Message) ([]pubsub.Receipt, error) {
	receipts, err := s.PubSub.Publish(ctx, messages...)
	if err != nil {
		_, _ = s.PubSub.Publish(ctx, messages[0])
	}
	return receipts, err
}

// again repeats a failed Publish as a new one.
type again struct{ pubsub.PubSub }

func (s again) Publish(ctx context.Context, messages ...pubsub.Message) ([]pubsub.Receipt, error) {
	receipts, err := s.PubSub.Publish(ctx, messages...)
	if err != nil {
		_, _ = s.PubSub.Publish(ctx, messages...)
	}
	return receipts, err
}

// endless publishes without regard to ctx.
type endless struct{ pubsub.PubSub }

func (s endless) Publish(ctx context.Context, messages ...pubsub.Message) ([]pubsub.Receipt, error) {
	done := make(chan struct{})
	var receipts []pubsub.Receipt
	var err error
	go func() {
		defer close(done)
		receipts, err = s.PubSub.Publish(context.WithoutCancel(ctx), messages...)
	}()
	select {
	case <-done:
		return receipts, err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", pubsub.ErrUncertain, context.Cause(ctx))
	}
}

type noBarrier struct{ pubsub.PubSub }

func (noBarrier) Barrier(context.Context) (pubsub.BarrierResult, error) {
	return pubsub.BarrierResult{Passed: []string{"a", "b"}}, nil
}

type firstOnly struct{ pubsub.PubSub }

func (s firstOnly) Publish(ctx context.Context, messages ...pubsub.Message) ([]pubsub.Receipt, error) {
	_, err := s.PubSub.Publish(ctx, messages[:1]...)
	return make([]pubsub.Receipt, len(messages)), err
}

type lenient struct{ pubsub.PubSub }

func (lenient) Publish(context.Context, ...pubsub.Message) ([]pubsub.Receipt, error) { return nil, nil }

type clingy struct{ pubsub.PubSub }

func (s clingy) Subscribe(ctx context.Context, pattern string, h pubsub.Handler, o pubsub.SubscribeOptions) (pubsub.Subscription, error) {
	sub, err := s.PubSub.Subscribe(ctx, pattern, h, o)
	return clingySubscription{sub}, err
}

type clingySubscription struct{ pubsub.Subscription }

func (clingySubscription) Close(context.Context) error { return nil }

type undead struct{ pubsub.PubSub }

func (undead) Close(context.Context) error { return nil }

// oneEntry forgets all messages of a transaction but the first.
type oneEntry struct{ pubsub.PubSub }

func (s oneEntry) Entries(messages ...pubsub.Message) ([][][]byte, error) {
	return s.PubSub.(entrier).Entries(messages[:1]...)
}

type uncounted struct{ pubsub.PubSub }

func (uncounted) Stats() pubsub.Stats { return pubsub.Stats{} }
