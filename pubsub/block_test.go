package pubsub_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// A subscription with Block leaves the live feed again while it still reads the
// log to get back to it.
func TestBlockLeavesWhileItJoins(t *testing.T) {
	const publishers, each = 4, 2000
	ps, err := pubsub.NewMemory(pubsub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ps.Close(context.Background()) })
	handled := make(chan string, publishers*each)
	_, err = ps.Subscribe(t.Context(), "c", func(_ context.Context, d *pubsub.Delivery) error {
		handled <- string(d.Payload)
		return nil
	}, pubsub.SubscribeOptions{QueueSize: 1, Policy: pubsub.Block, OnGap: func(_ context.Context, g pubsub.Gap) error {
		t.Errorf("gap %+v", g)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				m := pubsub.Message{Channel: "c", Payload: []byte(strconv.Itoa(p) + "-" + strconv.Itoa(i))}
				if _, err := ps.Publish(t.Context(), m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	next := make(map[byte]int)
	for n := range publishers * each {
		select {
		case payload := <-handled:
			if want := strconv.Itoa(next[payload[0]]); payload[2:] != want {
				t.Fatalf("%s comes when %s is due", payload, want)
			}
			next[payload[0]]++
		case <-time.After(30 * time.Second):
			t.Fatalf("only %d were handled", n)
		}
	}
}
