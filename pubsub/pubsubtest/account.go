package pubsubtest

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// entrier makes the entries of messages that somebody else stores.
type entrier interface {
	Entries(messages ...pubsub.Message) ([][][]byte, error)
}

// held returns a node and its backend.
func (r *run) held(o pubsub.Options) (n pubsub.PubSub, b pubsub.Backend) {
	r.Helper()
	n = r.node(o, func(inner pubsub.Backend) pubsub.Backend {
		b = inner
		return inner
	})
	return n, b
}

func entriesOfACaller(r *run) {
	a, store := r.held(pubsub.Options{MaxPayload: 100})
	rec, _ := r.subscribe(r.node(pubsub.Options{}), "together", pubsub.SubscribeOptions{})
	r.publish(a, "together", "1")
	buses, err := a.(entrier).Entries(
		pubsub.Message{Channel: "together", Payload: []byte("2")},
		pubsub.Message{Channel: "together", Payload: []byte("3")})
	if err != nil {
		r.Fatal(err)
	}
	for bus, entries := range buses {
		if len(entries) == 0 {
			continue
		}
		if _, _, err := store.Append(r.Context(), bus, entries, 0); err != nil {
			r.Fatal(err)
		}
	}
	r.publish(a, "together", "4")
	rec.want("1", "2", "3", "4")
	for _, tt := range []struct {
		m    pubsub.Message
		want error
	}{
		{pubsub.Message{Channel: "a b"}, pubsub.ErrInvalidChannel},
		{pubsub.Message{Channel: "together", Payload: make([]byte, 101)}, pubsub.ErrTooLarge},
		{pubsub.Message{Channel: "together", Replicas: 1}, pubsub.ErrInvalidMessage},
	} {
		if _, err := a.(entrier).Entries(tt.m); !errors.Is(err, tt.want) {
			r.Errorf("entries of %+v: %v, want %v", tt.m, err, tt.want)
		}
	}
}

// lonely has no replica.
type lonely struct{ pubsub.Backend }

func (b lonely) Append(ctx context.Context, bus int, entries [][]byte, _ int) ([]pubsub.Mark, int, error) {
	places, _, err := b.Backend.Append(ctx, bus, entries, 0)
	return places, 0, err
}

func replicas(r *run) {
	a := r.node(pubsub.Options{}, func(b pubsub.Backend) pubsub.Backend { return lonely{b} })
	rec, _ := r.subscribe(r.node(pubsub.Options{}), "replicas", pubsub.SubscribeOptions{})
	got, err := a.Publish(r.Context(),
		pubsub.Message{Channel: "replicas", Payload: []byte("1"), Replicas: 1},
		pubsub.Message{Channel: "replicas", Payload: []byte("2")})
	if !errors.Is(err, pubsub.ErrNotReplicated) || !errors.Is(got[0].Err, pubsub.ErrNotReplicated) || got[0].Position.IsZero() {
		r.Errorf("got %+v, %v, want a place and ErrNotReplicated", got, err)
	}
	if got[1].Err != nil {
		r.Errorf("one that asked for no replica: %v", got[1].Err)
	}
	rec.want("1", "2")
}

func stats(r *run) {
	a, store := r.held(pubsub.Options{})
	b := r.node(pubsub.Options{})
	errBad := errors.New("bad")
	rec := &record{run: r}
	sub := r.handle(b, "stats", pubsub.SubscribeOptions{OnError: func(*pubsub.Delivery, error) {}}, rec,
		func(_ context.Context, d *pubsub.Delivery) error {
			rec.add(string(d.Payload))
			if string(d.Payload) == "bad" {
				return errBad
			}
			return nil
		})
	r.publish(a, "stats", "1", "bad", "2")
	bus := 0
	if of, ok := a.(interface{ BusOf(channel string) int }); ok {
		bus = of.BusOf("stats")
	}
	if _, _, err := store.Append(r.Context(), bus, [][]byte{[]byte("\xff not an envelope")}, 0); err != nil {
		r.Fatal(err)
	}
	r.publish(a, "stats", "3")
	rec.want("1", "bad", "2", "3")
	r.env.Lose(r)
	r.publish(a, "stats", "4")
	rec.want("1", "bad", "2", "3", "gap reset -1", "4")
	if s := a.Stats(); s.Published != 5 || s.Subscriptions != 0 || s.Received != 0 {
		r.Errorf("of the publisher: %+v", s)
	}
	want := pubsub.Stats{Subscriptions: 1, Received: 5, Handled: 4, Failed: 1, Gaps: 1, Malformed: 1}
	r.until("the last message is counted", func() bool { return b.Stats().Handled >= want.Handled })
	got := b.Stats()
	got.Repairs = 0 // a matter of luck
	if got != want {
		r.Errorf("of the subscriber: %+v, want %+v", got, want)
	}
	if err := sub.Close(r.Context()); err != nil || b.Stats().Subscriptions != 0 {
		r.Errorf("Close: %v, then %d subscriptions", err, b.Stats().Subscriptions)
	}
}

func hooks(r *run) {
	var mu sync.Mutex
	var published, handled, failed int
	var gaps []pubsub.GapReason
	h := &pubsub.Hooks{
		Published: func(messages int, _ time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				published += messages
			}
		},
		Handled: func(_ context.Context, _ *pubsub.Delivery, _ time.Duration, err error) {
			mu.Lock()
			defer mu.Unlock()
			handled++
			if err != nil {
				failed++
			}
		},
		Gap: func(_ string, g pubsub.Gap) {
			mu.Lock()
			defer mu.Unlock()
			gaps = append(gaps, g.Reason)
		},
	}
	n := r.node(pubsub.Options{Hooks: h})
	rec := &record{run: r}
	r.handle(n, "hooks", pubsub.SubscribeOptions{OnError: func(*pubsub.Delivery, error) {}}, rec,
		func(_ context.Context, d *pubsub.Delivery) error {
			rec.add(string(d.Payload))
			if string(d.Payload) == "bad" {
				return errors.New("bad")
			}
			return nil
		})
	r.publish(n, "hooks", "1", "bad")
	rec.want("1", "bad")
	r.env.Lose(r)
	r.publish(n, "hooks", "2")
	rec.want("1", "bad", "gap reset -1", "2")
	r.until("the last message is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return handled >= 3
	})
	mu.Lock()
	defer mu.Unlock()
	if published != 3 || handled != 3 || failed != 1 || len(gaps) != 1 || gaps[0] != pubsub.GapReset {
		r.Errorf("told of %d published, %d handled, %d failed, gaps %v", published, handled, failed, gaps)
	}
}
