package main

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// order is what the shop sells.
type order struct {
	ID    snowflake.ID `json:"id"`
	Item  string       `json:"item"`
	Price int          `json:"price"`
}

// shop is what the program works with: the six areas, and typed views of three.
type shop struct {
	numbers workerid.Allocator
	worker  *workerid.Lease
	ids     *snowflake.Generator
	locks   lock.Locker
	signals *pubsub.Node
	store   *cache.Memory
	cache   *cache.Cache
	jobs    *queue.Memory

	orders    *pubsub.Topic[order]
	prices    *cache.Typed[int]
	shipments queue.Typed[order]
}

func open(ctx context.Context) (*shop, error) {
	s := &shop{}
	var errs [5]error
	s.numbers, errs[0] = workerid.NewMemory(workerid.Options{})
	s.locks, errs[1] = lock.NewMemory(lock.Options{})
	s.signals, errs[2] = pubsub.NewMemory(pubsub.Options{})
	s.store, errs[3] = cache.NewMemory(cache.MemoryOptions{})
	s.jobs, errs[4] = queue.NewMemory("shipments", queue.MemoryOptions{})
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	var err error
	if s.worker, err = s.numbers.Acquire(ctx, workerid.Request{}); err != nil {
		return nil, err
	}
	if s.ids, err = snowflake.New(s.worker, snowflake.Options{}); err != nil {
		return nil, err
	}
	if s.cache, err = cache.New(s.store, cache.Options{Prefix: "shop"}); err != nil {
		return nil, err
	}
	s.orders = pubsub.NewTopic(s.signals, "orders.created", pubsub.JSON[order]())
	s.shipments = queue.Of(s.jobs, "ship", queue.JSON[order]())
	s.prices, err = cache.Of(s.cache, cache.JSON[int](), cache.Policy{TTL: time.Minute})
	return s, err
}

// close ends everything, the worker number last.
func (s *shop) close(ctx context.Context) error {
	return errors.Join(
		s.jobs.Close(ctx), s.signals.Close(ctx), s.locks.Close(ctx),
		s.cache.Close(ctx), s.store.Close(ctx), s.numbers.Close(ctx),
	)
}
