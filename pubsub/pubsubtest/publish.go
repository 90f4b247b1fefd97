package pubsubtest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

func waitFor(r *run) {
	a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
	hold := make(chan struct{})
	rec := &record{run: r}
	sub := r.handle(b, "wait", pubsub.SubscribeOptions{}, rec, func(_ context.Context, d *pubsub.Delivery) error {
		<-hold
		rec.add(string(d.Payload))
		return nil
	})
	at, err := pubsub.ParsePosition(r.publish(a, "wait", "1")[0].Position.String())
	if err != nil {
		r.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
	if err := sub.WaitFor(ctx, at); !errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("WaitFor while the handler runs: %v", err)
	}
	cancel()
	close(hold)
	if err := sub.WaitFor(r.Context(), at); err != nil || len(rec.all()) != 1 {
		r.Errorf("WaitFor: %v, handled %q", err, rec.all())
	}
	if !b.Position().Covers(at) {
		r.Errorf("position %v does not cover %v", b.Position(), at)
	}
	if _, err := pubsub.ParsePosition("1:2:3"); err == nil {
		r.Error("ParsePosition takes a broken text")
	}
}

func receipts(r *run) {
	n := r.node(pubsub.Options{MaxPayload: 100})
	rec, _ := r.subscribe(n, "receipts", pubsub.SubscribeOptions{})
	got := r.publish(n, "receipts", numbers(0, 200)...)
	for i := 1; i < len(got); i++ {
		if !got[i].Position.Covers(got[i-1].Position) || got[i-1].Position.Covers(got[i].Position) {
			r.Fatalf("receipt %d is %v after %v", i, got[i].Position, got[i-1].Position)
		}
	}
	refused, err := n.Publish(r.Context(),
		pubsub.Message{Channel: "receipts", Payload: []byte("good")},
		pubsub.Message{Channel: "receipts", Payload: make([]byte, 101)})
	if !errors.Is(err, pubsub.ErrTooLarge) || len(refused) != 2 || refused[0].Err == nil || refused[1].Err == nil {
		r.Errorf("a message too large: %v, receipts %+v", err, refused)
	}
	if none, err := n.Publish(r.Context()); err != nil || len(none) != 0 {
		r.Errorf("no messages: %v, %v", none, err)
	}
	r.publish(n, "receipts", "end")
	rec.want(append(numbers(0, 200), "end")...)
}

// deaf stores, but the answer does not arrive.
type deaf struct {
	pubsub.Backend

	mu  *sync.Mutex
	bad *int // appends that fail
}

func (b deaf) Append(ctx context.Context, bus int, entries [][]byte, replicas int) ([]pubsub.Mark, int, error) {
	places, confirmed, err := b.Backend.Append(ctx, bus, entries, replicas)
	b.mu.Lock()
	defer b.mu.Unlock()
	if *b.bad > 0 {
		*b.bad--
		return nil, 0, errors.Join(pubsub.ErrUncertain, errors.New("reset by peer"))
	}
	return places, confirmed, err
}

func uncertain(r *run) {
	bad := 1
	a := r.node(pubsub.Options{}, func(b pubsub.Backend) pubsub.Backend { return deaf{b, &sync.Mutex{}, &bad} })
	rec, _ := r.subscribe(r.node(pubsub.Options{}), "deaf", pubsub.SubscribeOptions{})
	got, err := a.Publish(r.Context(), pubsub.Message{Channel: "deaf", Payload: []byte("1")})
	if !errors.Is(err, pubsub.ErrUncertain) || !got[0].Position.IsZero() {
		r.Errorf("got %v, %v, want ErrUncertain", got, err)
	}
	r.publish(a, "deaf", "2")
	rec.want("1", "2")
}

// gate holds appends back, and tells that one has come.
type gate struct {
	pubsub.Backend

	come, open chan struct{}
}

func (b gate) Append(ctx context.Context, bus int, entries [][]byte, replicas int) ([]pubsub.Mark, int, error) {
	select {
	case b.come <- struct{}{}:
	default:
	}
	<-b.open
	return b.Backend.Append(ctx, bus, entries, replicas)
}

func withdraw(r *run) {
	come, open := make(chan struct{}, 1), make(chan struct{})
	a := r.node(pubsub.Options{}, func(b pubsub.Backend) pubsub.Backend { return gate{b, come, open} })
	rec, _ := r.subscribe(r.node(pubsub.Options{}), "gate", pubsub.SubscribeOptions{})
	send := func(ctx context.Context, payload string) error {
		_, err := a.Publish(ctx, pubsub.Message{Channel: "gate", Payload: []byte(payload)})
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	go func() {
		receive(r, come)
		cancel()
	}()
	if err := send(ctx, "in flight"); !errors.Is(err, pubsub.ErrUncertain) || !errors.Is(err, context.Canceled) {
		r.Errorf("in flight: %v, want ErrUncertain and why", err)
	}
	ctx, cancel = context.WithTimeout(r.Context(), 50*time.Millisecond)
	defer cancel()
	if err := send(ctx, "waiting"); errors.Is(err, pubsub.ErrUncertain) || !errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("waiting: %v, want only the end of ctx", err)
	}
	close(open)
	r.publish(a, "gate", "last")
	rec.want("in flight", "last")
}

func refusals(r *run) {
	n := r.node(pubsub.Options{})
	handler := func(context.Context, *pubsub.Delivery) error { return nil }
	for _, channel := range []string{"", ".", "a.", ".a", "a..b", "a b", "a\nb", "a\x00", "\xff", strings.Repeat("x", 300)} {
		_, err := n.Publish(r.Context(), pubsub.Message{Channel: channel})
		if !errors.Is(err, pubsub.ErrInvalidChannel) {
			r.Errorf("publish to %q: %v", channel, err)
		}
		if _, err := n.Subscribe(r.Context(), channel, handler, pubsub.SubscribeOptions{}); !errors.Is(err, pubsub.ErrInvalidChannel) {
			r.Errorf("subscribe to %q: %v", channel, err)
		}
	}
	for _, channel := range []string{"a.*", "a.>", "*"} {
		if _, err := n.Publish(r.Context(), pubsub.Message{Channel: channel}); !errors.Is(err, pubsub.ErrInvalidChannel) {
			r.Errorf("publish to %q: %v", channel, err)
		}
	}
	for _, pattern := range []string{"a*", ">.a", "a>", "a.*b"} {
		if _, err := n.Subscribe(r.Context(), pattern, handler, pubsub.SubscribeOptions{}); !errors.Is(err, pubsub.ErrInvalidChannel) {
			r.Errorf("subscribe to %q: %v", pattern, err)
		}
	}
	if _, err := n.Subscribe(r.Context(), "a", nil, pubsub.SubscribeOptions{}); !errors.Is(err, pubsub.ErrNilHandler) {
		r.Errorf("nil handler: %v", err)
	}
	if _, err := n.Publish(r.Context(), pubsub.Message{Channel: "a", SkipSelf: true, OnlySelf: true}); !errors.Is(err, pubsub.ErrInvalidMessage) {
		r.Errorf("SkipSelf and OnlySelf: %v", err)
	}
	if _, err := n.Subscribe(r.Context(), "a", handler, pubsub.SubscribeOptions{QueueSize: -1}); err == nil {
		r.Error("a negative QueueSize is accepted")
	}
	ctx, cancel := context.WithCancel(r.Context())
	cancel()
	if _, err := n.Publish(ctx, pubsub.Message{Channel: "a"}); !errors.Is(err, context.Canceled) {
		r.Errorf("publish with a ctx that has ended: %v", err)
	}
}
