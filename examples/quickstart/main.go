// Quickstart uses all six areas in the memory of one process. Nothing needs to be
// installed, and the program links no client of a server:
//
//	go run ./examples/quickstart
//
// To go from one node to many exchange the constructors in open.go for those of
// the areas' Redis packages, or let package cohort choose by environment
// variables. What is below stays as it is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) (err error) {
	s, err := open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	// Every node hears of an order.
	heard := make(chan order, 1)
	hear := func(_ context.Context, o order, _ *pubsub.Delivery) error { heard <- o; return nil }
	if _, err := s.orders.Subscribe(ctx, hear, pubsub.SubscribeOptions{}); err != nil {
		return err
	}
	// A worker on any node ships it.
	ship := func(context.Context, order, *queue.Delivery) error { fmt.Fprintln(out, "shipped"); return nil }
	if _, err := s.shipments.Consume(ctx, ship, queue.ConsumeOptions{}); err != nil {
		return err
	}
	// One node at a time sells, with a price that all nodes cache, under an ID that
	// no other node makes.
	err = lock.Do(ctx, s.locks, "till", lock.Request{}, func(ctx context.Context, _ *lock.Lease) error {
		price, err := s.prices.GetOrLoad(ctx, "teapot", lookUp)
		if err != nil {
			return err
		}
		id, err := s.ids.Next(ctx)
		if err != nil {
			return err
		}
		o := order{ID: id, Item: "teapot", Price: price}
		if _, err := s.shipments.Enqueue(ctx, o, queue.Message{}); err != nil {
			return err
		}
		_, err = s.orders.Publish(ctx, o)
		return err
	})
	if err = errors.Join(err, s.jobs.Drain(ctx)); err != nil {
		return err
	}
	o := <-heard
	_, err = fmt.Fprintf(out, "every node heard: a %s for %d, sold by worker %d\n", o.Item, o.Price, s.worker.ID())
	return err
}

// lookUp stands for the database.
func lookUp(context.Context, string) (price int, err error) { return 40, nil }
