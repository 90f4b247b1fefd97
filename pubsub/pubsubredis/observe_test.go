package pubsubredis_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// patience is how long an expected event may take on a busy machine.
const patience = 30 * time.Second

// node returns a node that is closed at the end of t.
func node(t testing.TB, c redis.UniversalClient, o pubsubredis.Options) *pubsubredis.PubSub {
	t.Helper()
	ps, err := pubsubredis.New(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := ps.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return ps
}

// seen is what one subscription was told: payloads, and "gap <reason> <missed>".
type seen struct {
	mu   sync.Mutex
	log  []string
	news chan struct{}
}

func observe(t testing.TB, ps pubsub.PubSub, pattern string, o pubsub.SubscribeOptions) *seen {
	t.Helper()
	s := &seen{news: make(chan struct{}, 1)}
	o.OnGap = func(_ context.Context, g pubsub.Gap) error {
		s.add(fmt.Sprintf("gap %v %d", g.Reason, g.Missed))
		return nil
	}
	_, err := ps.Subscribe(t.Context(), pattern, func(_ context.Context, d *pubsub.Delivery) error {
		s.add(string(d.Payload))
		return nil
	}, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *seen) add(what string) {
	s.mu.Lock()
	s.log = append(s.log, what)
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

func (s *seen) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// await waits until ok holds for what was seen.
func (s *seen) await(t testing.TB, limit time.Duration, ok func(log []string) bool) {
	t.Helper()
	late := time.After(limit)
	for {
		log := s.all()
		if ok(log) {
			return
		}
		select {
		case <-s.news:
		case <-late:
			t.Fatalf("not within %v; %d events, the last %q", limit, len(log), log[max(len(log)-8, 0):])
		}
	}
}

// want waits for exactly these events.
func (s *seen) want(t testing.TB, want ...string) {
	t.Helper()
	s.await(t, patience, func(log []string) bool { return len(log) >= len(want) })
	if log := s.all(); !slices.Equal(log, want) {
		t.Fatalf("got %d %q, want %d %q", len(log), head(log), len(want), head(want))
	}
}

func head(list []string) []string { return list[:min(len(list), 12)] }

// publish sends payloads on a channel.
func publish(t testing.TB, ps pubsub.PubSub, channel string, payloads ...string) {
	t.Helper()
	messages := make([]pubsub.Message, len(payloads))
	for i, p := range payloads {
		messages[i] = pubsub.Message{Channel: channel, Payload: []byte(p)}
	}
	if _, err := ps.Publish(t.Context(), messages...); err != nil {
		t.Fatal(err)
	}
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
