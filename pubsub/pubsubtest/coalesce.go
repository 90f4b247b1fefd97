package pubsubtest

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// window is long against a round trip and short against patience.
const window = 400 * time.Millisecond

func oneKey(*pubsub.Delivery) string { return "" }

func coalesceEdges(r *run) {
	n := r.node(pubsub.Options{})
	rec, _ := r.subscribe(n, "co", pubsub.SubscribeOptions{Coalesce: pubsub.Coalesce{Window: window, Key: oneKey}})
	r.publish(n, "co", numbers(0, 30)...)
	began := time.Now()
	rec.want("0", "29")
	if took := time.Since(began); took < window/2 {
		r.Errorf("the latest came after %v, within the window", took)
	}
	time.Sleep(2 * window)
	r.publish(n, "co", "alone")
	time.Sleep(2 * window)
	rec.want("0", "29", "alone")
}

func coalesceOneEdge(r *run) {
	n := r.node(pubsub.Options{})
	leading, _ := r.subscribe(n, "co", pubsub.SubscribeOptions{
		Coalesce: pubsub.Coalesce{Window: window, Key: oneKey, Edge: pubsub.LeadingEdge},
	})
	trailing, _ := r.subscribe(n, "co", pubsub.SubscribeOptions{
		Coalesce: pubsub.Coalesce{Window: window, Key: oneKey, Edge: pubsub.TrailingEdge},
	})
	r.publish(n, "co", numbers(0, 10)...)
	time.Sleep(3 * window)
	leading.want("0")
	trailing.want("9")
}

func coalesceMaxWait(r *run) {
	n := r.node(pubsub.Options{})
	rec, _ := r.subscribe(n, "co", pubsub.SubscribeOptions{
		Coalesce: pubsub.Coalesce{Window: window, MaxWait: 2 * window, Key: oneKey, Edge: pubsub.TrailingEdge},
	})
	for began := time.Now(); len(rec.all()) == 0; time.Sleep(window / 5) { // never quiet for a window
		if time.Since(began) > patience {
			r.Fatalf("nothing was handled in %v of messages", patience)
		}
		r.publish(n, "co", "x")
	}
}

func coalesceKeys(r *run) {
	n := r.node(pubsub.Options{})
	plain, _ := r.subscribe(n, "co", pubsub.SubscribeOptions{
		Coalesce: pubsub.Coalesce{Window: window, Edge: pubsub.TrailingEdge},
	})
	r.publish(n, "co", "a", "b", "a", "b", "b", "a")
	time.Sleep(3 * window)
	plain.want("a", "b")
	var same []pubsub.Message
	for _, payload := range numbers(0, 3) {
		same = append(same, pubsub.Message{Channel: "co", Key: "same", Payload: []byte(payload)})
	}
	if _, err := n.Publish(r.Context(), same...); err != nil {
		r.Fatal(err)
	}
	time.Sleep(3 * window)
	plain.want("a", "b", "2")
}

func coalesceFlush(r *run) {
	n := r.node(pubsub.Options{})
	long := pubsub.Coalesce{Window: time.Minute, Key: oneKey, Edge: pubsub.TrailingEdge}
	rec, sub := r.subscribe(n, "co", pubsub.SubscribeOptions{Coalesce: long})
	at := r.publish(n, "co", "1", "2")[1].Position
	if err := sub.WaitFor(r.Context(), at); err != nil {
		r.Fatal(err)
	}
	rec.want("2")
	r.publish(n, "co", "3", "4")
	if b, ok := n.(pubsub.Barrierer); ok {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		if _, err := b.Barrier(ctx); err != nil {
			r.Fatal(err)
		}
		rec.want("2", "4")
	}
	r.publish(n, "co", "5")
	r.until("the message came in", func() bool { return n.Stats().Received >= 5 })
	r.env.Lose(r)
	rec.want("2", "4", "5", "gap reset -1")
	r.publish(n, "co", "6")
	r.until("the message came in", func() bool { return n.Stats().Received >= 6 && n.Stats().Queued == 0 })
	time.Sleep(quiet)
	if err := sub.Close(r.Context()); err != nil {
		r.Fatal(err)
	}
	rec.want("2", "4", "5", "gap reset -1", "6")
}
