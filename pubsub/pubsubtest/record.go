package pubsubtest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// record is what one subscription was told: payloads, and "gap <reason>
// <missed>".
type record struct {
	run *run

	mu  sync.Mutex
	log []string
}

func (r *record) add(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.log = append(r.log, s)
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.log)
}

// subscribe records what comes for a pattern.
func (r *run) subscribe(ps pubsub.PubSub, pattern string, o pubsub.SubscribeOptions) (*record, pubsub.Subscription) {
	r.Helper()
	rec := &record{run: r}
	return rec, r.handle(ps, pattern, o, rec, func(_ context.Context, d *pubsub.Delivery) error {
		rec.add(string(d.Payload))
		return nil
	})
}

// handle subscribes with a handler; Gaps go to rec.
func (r *run) handle(ps pubsub.PubSub, pattern string, o pubsub.SubscribeOptions, rec *record, h pubsub.Handler) pubsub.Subscription {
	r.Helper()
	if o.OnGap == nil {
		o.OnGap = func(_ context.Context, g pubsub.Gap) error {
			rec.add(fmt.Sprintf("gap %v %d", g.Reason, g.Missed))
			return nil
		}
	}
	sub, err := ps.Subscribe(r.Context(), pattern, h, o)
	if err != nil {
		r.Fatalf("subscribe: %v", err)
	}
	return sub
}

// publish sends payloads on a channel.
func (r *run) publish(ps pubsub.PubSub, channel string, payloads ...string) []pubsub.Receipt {
	r.Helper()
	messages := make([]pubsub.Message, len(payloads))
	for i, p := range payloads {
		messages[i] = pubsub.Message{Channel: channel, Payload: []byte(p)}
	}
	receipts, err := ps.Publish(r.Context(), messages...)
	if err != nil {
		r.Fatalf("publish: %v", err)
	}
	return receipts
}

// patience is how long an expected event may take.
const patience = 15 * time.Second

// until waits for a condition.
func (r *run) until(what string, ok func() bool) {
	r.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			r.Fatalf("not within %v: %s", patience, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// want waits for as many events, lets a moment pass, and compares.
func (r *record) want(want ...string) {
	r.run.Helper()
	end := time.Now().Add(patience)
	for len(r.all()) < len(want) && time.Now().Before(end) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(quiet)
	if got := r.all(); !slices.Equal(got, want) {
		r.run.Fatalf("got %s, want %s", shorten(got), shorten(want))
	}
}

// receive returns what comes from ch, if it comes.
func receive[T any](r *run, ch <-chan T) (v T) {
	r.Helper()
	select {
	case v = <-ch:
	case <-time.After(patience):
		r.Fatalf("nothing came within %v", patience)
	}
	return v
}

// quiet is how long nothing more must come after what was expected.
const quiet = 20 * time.Millisecond

func shorten(list []string) string {
	if len(list) <= 12 {
		return fmt.Sprintf("%d %q", len(list), list)
	}
	return fmt.Sprintf("%d %q … %q", len(list), list[:6], list[len(list)-6:])
}

// numbers are the texts of from … to-1.
func numbers(from, to int) []string {
	list := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		list = append(list, strconv.Itoa(i))
	}
	return list
}
