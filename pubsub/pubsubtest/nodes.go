package pubsubtest

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func barrier(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	rec := &record{run: r}
	r.handle(b, "barrier", pubsub.SubscribeOptions{}, rec, func(_ context.Context, d *pubsub.Delivery) error {
		time.Sleep(2 * time.Millisecond)
		rec.add(string(d.Payload))
		return nil
	})
	inside := make(chan error, 1)
	r.handle(a, "barrier", pubsub.SubscribeOptions{}, rec, func(ctx context.Context, d *pubsub.Delivery) error {
		if string(d.Payload) == "0" {
			_, err := a.(pubsub.Barrierer).Barrier(ctx)
			inside <- err
		}
		return nil
	})
	r.publish(a, "barrier", numbers(0, 30)...)
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	got, err := a.(pubsub.Barrierer).Barrier(ctx)
	if err != nil || len(got.Passed) != 2 || len(got.Missing) != 0 {
		r.Fatalf("got %+v, %v", got, err)
	}
	if log := rec.all(); !slices.Equal(log, numbers(0, 30)) {
		r.Errorf("handled %s when Barrier returned", shorten(log))
	}
	if err := receive(r, inside); !errors.Is(err, pubsub.ErrInHandler) {
		r.Errorf("Barrier in a handler: %v", err)
	}
}

func barrierTimeout(r *run) {
	a, b := r.node(pubsub.Options{Name: "fast"}), r.node(pubsub.Options{Name: "stuck"})
	hold := make(chan struct{})
	defer close(hold)
	rec := &record{run: r}
	r.subscribe(a, "barrier", pubsub.SubscribeOptions{})
	r.handle(b, "barrier", pubsub.SubscribeOptions{}, rec, func(context.Context, *pubsub.Delivery) error {
		<-hold
		return nil
	})
	r.publish(a, "barrier", "x")
	var got pubsub.BarrierResult
	var err error
	for limit := time.Second; limit < patience && len(got.Passed) == 0; limit *= 2 { // until fast had the time to pass
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		got, err = a.(pubsub.Barrierer).Barrier(ctx)
		cancel()
	}
	if !errors.Is(err, pubsub.ErrBarrierTimeout) || len(got.Passed) != 1 || len(got.Missing) != 1 || got.Missing[0][:6] != "stuck-" {
		r.Errorf("got %+v, %v, want stuck to be missing", got, err)
	}
}

func scope(r *run) {
	n := r.node(pubsub.Options{})
	rec, _ := r.subscribe(n, "scope", pubsub.SubscribeOptions{})
	message := func(s string) pubsub.Message { return pubsub.Message{Channel: "scope", Payload: []byte(s)} }

	dropped := pubsub.NewScope(n)
	if err := dropped.Add(message("dropped")); err != nil {
		r.Fatal(err)
	}
	dropped.Discard()
	if err := dropped.Add(message("late")); !errors.Is(err, pubsub.ErrScopeDone) {
		r.Errorf("Add after Discard: %v", err)
	}
	if _, err := dropped.Commit(r.Context()); !errors.Is(err, pubsub.ErrScopeDone) {
		r.Errorf("Commit after Discard: %v", err)
	}
	kept := pubsub.NewScope(n)
	defer kept.Discard()
	if err := errors.Join(kept.Add(message("1")), kept.Add(message("2"), message("3"))); err != nil {
		r.Fatal(err)
	}
	if got, err := kept.Commit(r.Context()); err != nil || len(got) != 3 {
		r.Errorf("Commit: %v, %v", got, err)
	}
	if got, err := pubsub.NewScope(n).Commit(r.Context()); err != nil || len(got) != 0 {
		r.Errorf("Commit of nothing: %v, %v", got, err)
	}
	rec.want("1", "2", "3")
}

type change struct {
	Key   string
	Value int
}

func topic(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	got, failed := make(chan change, 8), make(chan error, 8)
	options := pubsub.SubscribeOptions{OnError: func(_ *pubsub.Delivery, err error) { failed <- err }}
	handler := func(_ context.Context, v change, _ *pubsub.Delivery) error {
		got <- v
		return nil
	}
	for _, n := range []pubsub.PubSub{a, b} {
		if _, err := pubsub.NewTopic(n, "topic", pubsub.JSON[change]()).Subscribe(r.Context(), handler, options); err != nil {
			r.Fatal(err)
		}
	}
	sender := pubsub.NewTopic(a, "topic", pubsub.JSON[change]())
	if _, err := sender.Signal(r.Context(), change{"others", 1}); err != nil {
		r.Fatal(err)
	}
	if v := receive(r, got); v != (change{"others", 1}) {
		r.Errorf("got %+v", v)
	}
	r.publish(a, "topic", "{")
	for range 2 {
		if err := receive(r, failed); !errors.Is(err, pubsub.ErrDecode) {
			r.Errorf("broken payload: %v", err)
		}
	}
	if _, err := sender.Publish(r.Context(), change{"all", 2}); err != nil {
		r.Fatal(err)
	}
	for range 2 {
		if v := receive(r, got); v != (change{"all", 2}) {
			r.Errorf("got %+v", v)
		}
	}
	time.Sleep(quiet)
	if len(got) > 0 {
		r.Errorf("one more: %+v", <-got)
	}
}

func ready(r *run) {
	n := r.node(pubsub.Options{})
	r.subscribe(n, "ready", pubsub.SubscribeOptions{})
	if err := n.Ready(r.Context()); err != nil {
		r.Error(err)
	}
}
