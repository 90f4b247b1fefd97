package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheotel"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
)

// shop sells something now and then, and so uses every area.
type shop struct {
	node   *cohort.Node
	tel    *telemetry
	orders queue.Queue
	prices *cache.Typed[int]
	stops  []func() error
}

func openShop(ctx context.Context, node *cohort.Node, tel *telemetry) (*shop, error) {
	orders, err := node.Queue(ordersQueue)
	if err != nil {
		return nil, err
	}
	prices, err := node.Cache(pricesCache)
	if err != nil {
		return nil, err
	}
	s := &shop{node: node, tel: tel, orders: orders}
	if s.prices, err = cache.Of(prices, cache.JSON[int](), cache.Policy{TTL: time.Second}); err != nil {
		return nil, err
	}
	if err := s.watch(tel.prices.Watch(prices)); err != nil {
		return nil, err
	}
	if inspector, ok := orders.(queue.Inspector); ok {
		if err := s.watch(tel.orders.Watch(inspector)); err != nil {
			return nil, err
		}
	}
	_, err = node.PubSub().Subscribe(ctx, "orders.*", tel.signals.Process(
		func(context.Context, *pubsub.Delivery) error { return nil },
	), pubsub.SubscribeOptions{})
	if err != nil {
		return nil, err
	}
	_, err = orders.Consume(ctx, ship, queue.ConsumeOptions{Middleware: []queue.Middleware{tel.orders.Process}})
	return s, err
}

// watch keeps the end of something that is looked at when Prometheus asks.
func (s *shop) watch(stop func() error, err error) error {
	s.stops = append(s.stops, stop)
	return err
}

func (s *shop) close() (err error) {
	for _, stop := range s.stops {
		err = errors.Join(err, stop())
	}
	return err
}

// sell has a customer come ten times a second until ctx ends.
func (s *shop) sell(ctx context.Context) error {
	for every := time.Tick(100 * time.Millisecond); ; {
		if err := s.order(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every:
		}
	}
}

// order sells one thing: a price from the cache, an ID, and under the lock of the
// till a job and a signal.
func (s *shop) order(ctx context.Context) error {
	load := func(context.Context, string) (int, error) { return 40, nil }
	price, err := s.prices.GetOrLoad(ctx, "teapot", cacheotel.Load(s.tel.prices, load))
	if err != nil {
		return err
	}
	id, err := s.node.IDs().Next(ctx)
	if err != nil {
		return err
	}
	return lock.Do(ctx, s.node.Locker(), "till", lock.Request{}, func(ctx context.Context, _ *lock.Lease) error {
		job := queue.Message{Payload: fmt.Appendf(nil, "order %v for %d", id, price)}
		spanned, end := s.tel.orders.Send(ctx, &job)
		_, err := s.orders.Enqueue(spanned, job)
		end(err)
		if err != nil {
			return err
		}
		signal := pubsub.Message{Channel: "orders.created"}
		spanned, end = s.tel.signals.Send(ctx, &signal)
		_, err = s.node.PubSub().Publish(spanned, signal)
		end(err)
		return err
	})
}

// ship does one order, and fails now and then.
func ship(context.Context, *queue.Delivery) error {
	if rand.IntN(10) == 0 {
		return errors.New("the parcel service did not come")
	}
	return nil
}
