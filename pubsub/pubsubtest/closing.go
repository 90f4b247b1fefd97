package pubsubtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func unsubscribe(r *run) {
	n := r.node(pubsub.Options{})
	rec, sub := r.subscribe(n, "un", pubsub.SubscribeOptions{})
	other, _ := r.subscribe(n, "un", pubsub.SubscribeOptions{})
	r.publish(n, "un", "1")
	rec.want("1")
	for range 2 {
		if err := sub.Close(r.Context()); err != nil {
			r.Fatal(err)
		}
	}
	r.publish(n, "un", "2")
	other.want("1", "2")
	rec.want("1")
	if err := sub.WaitFor(r.Context(), pubsub.Position{}); !errors.Is(err, pubsub.ErrClosed) {
		r.Errorf("WaitFor after Close: %v", err)
	}
	var inner pubsub.Subscription
	set, done := make(chan struct{}), make(chan error, 1)
	inner = r.handle(n, "un", pubsub.SubscribeOptions{}, rec, func(ctx context.Context, _ *pubsub.Delivery) error {
		<-set
		done <- inner.Close(ctx)
		return nil
	})
	close(set)
	r.publish(n, "un", "3", "4")
	if err := receive(r, done); err != nil {
		r.Errorf("Close within the handler: %v", err)
	}
	time.Sleep(quiet)
	if s := n.Stats(); s.Subscriptions != 1 {
		r.Errorf("%d subscriptions, want 1", s.Subscriptions)
	}
}

func closing(r *run) {
	n := r.node(pubsub.Options{})
	rec := &record{run: r}
	began := make(chan struct{})
	sub := r.handle(n, "close", pubsub.SubscribeOptions{}, rec, func(ctx context.Context, d *pubsub.Delivery) error {
		close(began)
		time.Sleep(quiet)
		if ctx.Err() != nil {
			rec.add("cut short")
		}
		rec.add(string(d.Payload))
		return nil
	})
	r.publish(n, "close", "1", "2")
	receive(r, began)
	if err := n.Close(r.Context()); err != nil {
		r.Fatal(err)
	}
	if got := rec.all(); !slices.Equal(got, []string{"1"}) {
		r.Errorf("handled %q when Close returned, want the one that was running", got)
	}
	if err := n.Close(r.Context()); err != nil {
		r.Errorf("second Close: %v", err)
	}
	_, publish := n.Publish(r.Context(), pubsub.Message{Channel: "a"})
	_, subscribe := n.Subscribe(r.Context(), "a", func(context.Context, *pubsub.Delivery) error { return nil }, pubsub.SubscribeOptions{})
	_, barrier := n.(pubsub.Barrierer).Barrier(r.Context())
	for _, err := range []error{publish, subscribe, barrier, n.Ready(r.Context())} {
		if !errors.Is(err, pubsub.ErrClosed) {
			r.Errorf("after Close: %v", err)
		}
	}
	if err := sub.Close(r.Context()); err != nil {
		r.Errorf("Close of a subscription after Close: %v", err)
	}
}

func closeIsBounded(r *run) {
	b := r.env.Backend(r)
	raw, err := pubsub.NewNode(b, pubsub.Options{})
	if err != nil {
		r.Fatal(err)
	}
	node := r.bend(raw)
	hold := make(chan struct{})
	began, cause := make(chan struct{}), make(chan error, 1)
	rec := &record{run: r}
	r.handle(node, "close", pubsub.SubscribeOptions{}, rec, func(ctx context.Context, _ *pubsub.Delivery) error {
		close(began)
		<-ctx.Done()
		cause <- context.Cause(ctx)
		<-hold
		return nil
	})
	r.publish(node, "close", "x")
	receive(r, began)
	ctx, cancel := context.WithTimeout(r.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err = node.Close(ctx)
	if took := time.Since(start); took > patience {
		r.Errorf("Close took %v with a ctx of 100ms", took)
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("Close: %v", err)
	}
	if err := receive(r, cause); !errors.Is(err, pubsub.ErrClosed) {
		r.Errorf("the handler's ctx ended because of %v", err)
	}
	if s := node.Stats(); s.Abandoned != 1 {
		r.Errorf("%d handlers abandoned, want 1", s.Abandoned)
	}
	close(hold)
	if err := node.Close(context.Background()); err != nil {
		r.Error(err)
	}
}
