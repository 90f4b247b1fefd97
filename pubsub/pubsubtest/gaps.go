package pubsubtest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func trimmed(r *run) {
	a := r.node(pubsub.Options{})
	places := r.publish(a, "trim", numbers(0, 20)...)
	r.env.Trim(r, 5)
	rec, _ := r.subscribe(r.node(pubsub.Options{}), "trim", pubsub.SubscribeOptions{From: pubsub.After(places[9].Position)})
	r.publish(a, "trim", "20")
	rec.want(append([]string{"gap trimmed 5"}, numbers(15, 21)...)...)
}

func reset(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	rec, _ := r.subscribe(b, "reset", pubsub.SubscribeOptions{})
	r.publish(a, "reset", "before")
	rec.want("before")
	r.env.Lose(r)
	r.publish(a, "reset", "1", "2")
	rec.want("before", "gap reset -1", "1", "2")

	future := r.publish(a, "reset", "3")[0].Position
	rec.want("before", "gap reset -1", "1", "2", "3")
	r.env.Lose(r)
	later, _ := r.subscribe(b, "reset", pubsub.SubscribeOptions{From: pubsub.After(future)})
	r.publish(a, "reset", "4")
	later.want("gap reset -1", "4")
}

func overflow(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	const total, queue = 2000, 100
	fast, _ := r.subscribe(b, "flood", pubsub.SubscribeOptions{QueueSize: total})
	slow := &record{run: r}
	goOn, missed := make(chan struct{}), atomic.Int64{}
	r.handle(b, "flood", pubsub.SubscribeOptions{
		QueueSize: queue,
		OnGap: func(_ context.Context, g pubsub.Gap) error {
			if g.Reason != pubsub.GapOverflow || !g.Resume.Covers(g.After) {
				r.Errorf("gap is %+v", g)
			}
			missed.Add(g.Missed)
			slow.add("gap")
			return nil
		},
	}, slow, func(_ context.Context, d *pubsub.Delivery) error {
		<-goOn
		slow.add(string(d.Payload))
		return nil
	})
	for i := 0; i < total; i += 50 {
		r.publish(a, "flood", numbers(i, i+50)...)
	}
	fast.want(numbers(0, total)...)
	close(goOn)
	handled := func() int { return len(slow.all()) - strings.Count(strings.Join(slow.all(), " "), "gap") }
	r.until("missed and handled are all", func() bool { return int(missed.Load())+handled() >= total })
	log := slow.all()
	if got := int(missed.Load()) + handled(); got != total || missed.Load() == 0 {
		r.Errorf("%d missed and %d handled of %d", missed.Load(), handled(), total)
	}
	last := -1
	for _, s := range log {
		if s == "gap" {
			continue
		}
		n, _ := strconv.Atoi(s)
		if n <= last {
			r.Fatalf("%d after %d", n, last)
		}
		last = n
	}
	if last != total-1 {
		r.Errorf("the last handled is %d, want %d", last, total-1)
	}
}

func blocking(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	const total = 800
	rec := &record{run: r}
	r.handle(b, "block", pubsub.SubscribeOptions{QueueSize: 4, Policy: pubsub.Block}, rec,
		func(_ context.Context, d *pubsub.Delivery) error {
			if n := len(rec.all()); n < 5 || n%200 == 0 {
				time.Sleep(20 * time.Millisecond)
			}
			rec.add(string(d.Payload))
			return nil
		})
	for i := range total {
		r.publish(a, "block", strconv.Itoa(i))
	}
	rec.want(numbers(0, total)...)
}

func slowHandler(r *run) {
	n := r.node(pubsub.Options{})
	hold, began := make(chan struct{}), make(chan struct{}, 1)
	defer close(hold)
	rec := &record{run: r}
	r.handle(n, "slow", pubsub.SubscribeOptions{}, rec, func(context.Context, *pubsub.Delivery) error {
		select {
		case began <- struct{}{}:
		default:
		}
		<-hold
		return nil
	})
	r.publish(n, "slow", "first")
	receive(r, began)
	fast, _ := r.subscribe(n, "slow", pubsub.SubscribeOptions{})
	r.publish(n, "slow", numbers(0, 50)...)
	fast.want(numbers(0, 50)...)
}

func retry(r *run) {
	n := r.node(pubsub.Options{})
	rec := &record{run: r}
	failed := make(chan error, 8)
	errBad := errors.New("bad")
	r.handle(n, "retry", pubsub.SubscribeOptions{
		Retry:   pubsub.Retry{Attempts: 2, Base: time.Millisecond},
		OnError: func(d *pubsub.Delivery, err error) { failed <- fmt.Errorf("%s: %w", d.Payload, err) },
	}, rec, func(_ context.Context, d *pubsub.Delivery) error {
		rec.add(string(d.Payload))
		if string(d.Payload) == "bad" || len(rec.all()) < 3 {
			return errBad
		}
		return nil
	})
	r.publish(n, "retry", "a", "bad", "b")
	rec.want("a", "a", "a", "bad", "bad", "bad", "b")
	if err := receive(r, failed); !errors.Is(err, errBad) || !strings.HasPrefix(err.Error(), "bad: ") {
		r.Errorf("OnError got %v", err)
	}
	r.until("Stats has 1 failed and 2 handled", func() bool {
		s := n.Stats()
		return s.Failed == 1 && s.Handled == 2
	})
}

func panics(r *run) {
	n := r.node(pubsub.Options{})
	rec := &record{run: r}
	failed := make(chan error, 8)
	r.handle(n, "panic", pubsub.SubscribeOptions{
		OnError: func(_ *pubsub.Delivery, err error) {
			failed <- err
			_ = []int{}[len(err.Error())] // a panic here is harmless too
		},
	}, rec, func(_ context.Context, d *pubsub.Delivery) error {
		_ = []int{0, 0, 0}[len(d.Payload)] // panics for "bad"
		rec.add(string(d.Payload))
		return nil
	})
	other, _ := r.subscribe(n, "panic", pubsub.SubscribeOptions{})
	r.publish(n, "panic", "a", "bad", "b")
	rec.want("a", "b")
	other.want("a", "bad", "b")
	if err := receive(r, failed); !errors.Is(err, pubsub.ErrPanic) || !strings.Contains(err.Error(), "gaps.go") {
		r.Errorf("OnError got %v, want the panic and where it was", err)
	}
	if s := n.Stats(); s.Panics < 1 || s.Failed != 1 {
		r.Errorf("stats %+v", s)
	}
}
