package pubsub_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// A configuration is held in memory and follows the signals that it changed.
func ExampleReplicate() {
	ctx := context.Background()
	ps, err := pubsub.NewMemory(pubsub.Options{Name: "node-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ps.Close(ctx)

	database := map[string]string{"color": "red"}
	config, err := pubsub.Replicate(ctx, ps, "config.changed", pubsub.ReplicaSpec[map[string]string, string]{
		Codec: pubsub.JSON[string](),
		Load: func(context.Context) (map[string]string, error) {
			return map[string]string{"color": database["color"]}, nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer config.Close(ctx)
	fmt.Println(config.Get()["color"])

	database["color"] = "blue" // anybody changes the truth, then signals
	receipt, err := config.Publish(ctx, "color")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := config.WaitFor(ctx, receipt.Position); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(config.Get()["color"])
	// Output:
	// red
	// blue
}

// A slow subscription is told what it missed; the others miss nothing.
func Example() {
	ctx := context.Background()
	ps, err := pubsub.NewMemory(pubsub.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ps.Close(ctx)

	block, done := make(chan struct{}), make(chan struct{})
	_, err = ps.Subscribe(ctx, "orders.*", func(_ context.Context, m *pubsub.Delivery) error {
		<-block
		fmt.Println("handled", m.Channel)
		return nil
	}, pubsub.SubscribeOptions{
		QueueSize: 2,
		OnGap: func(_ context.Context, g pubsub.Gap) error {
			fmt.Println("missed", g.Missed, "because of", g.Reason)
			close(done)
			return nil
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	publish := func() {
		if _, err := ps.Publish(ctx, pubsub.Message{Channel: "orders.created"}); err != nil {
			fmt.Println(err)
		}
	}
	publish()
	for ps.Stats().Queued > 0 { // the handler has the first
		time.Sleep(time.Millisecond)
	}
	for range 3 {
		publish()
	}
	close(block)
	<-done

	_, err = ps.Publish(ctx, pubsub.Message{Channel: "orders.*"})
	fmt.Println(errors.Is(err, pubsub.ErrInvalidChannel))
	// Output:
	// handled orders.created
	// missed 3 because of overflow
	// true
}
