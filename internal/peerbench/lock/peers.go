package lock

import (
	"context"
	"errors"
	"time"

	"github.com/bsm/redislock"
	"github.com/go-redsync/redsync/v4"
	"github.com/go-redsync/redsync/v4/redis/goredis/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidislock"
)

// The lifetime of a lock, and how often those that poll ask for it.
const (
	ttl  = 10 * time.Second
	poll = time.Millisecond
)

type redislockNode struct {
	client *redis.Client
	locker *redislock.Client
}

func openRedislock(url string) (node, error) {
	client, err := openClient(url)
	if err != nil {
		return nil, err
	}
	return &redislockNode{client, redislock.New(client)}, nil
}

func (n *redislockNode) lock(ctx context.Context, name string) (func() error, error) {
	l, err := n.locker.Obtain(ctx, name, ttl, &redislock.Options{RetryStrategy: redislock.LinearBackoff(poll)})
	if err != nil {
		return nil, err
	}
	return func() error { return l.Release(ctx) }, nil
}

func (n *redislockNode) close() { _ = n.client.Close() }

type redsyncNode struct {
	client *redis.Client
	locker *redsync.Redsync
}

func openRedsync(url string) (node, error) {
	client, err := openClient(url)
	if err != nil {
		return nil, err
	}
	return &redsyncNode{client, redsync.New(goredis.NewPool(client))}, nil
}

func (n *redsyncNode) lock(ctx context.Context, name string) (func() error, error) {
	m := n.locker.NewMutex(name, redsync.WithExpiry(ttl), redsync.WithRetryDelay(poll), redsync.WithTries(1<<30))
	if err := m.LockContext(ctx); err != nil {
		return nil, err
	}
	return func() error {
		_, err := m.UnlockContext(ctx)
		return err
	}, nil
}

func (n *redsyncNode) close() { _ = n.client.Close() }

type rueidislockNode struct{ locker rueidislock.Locker }

func openRueidislock(url string) (node, error) {
	o, err := rueidis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	l, err := rueidislock.NewLocker(rueidislock.LockerOption{
		ClientOption: o, KeyMajority: 1, KeyValidity: ttl,
	})
	if err != nil {
		return nil, err
	}
	return &rueidislockNode{l}, nil
}

// patience is after how long a waiter of rueidislock asks again: between nodes it
// misses a wake-up now and then, and would wait for ever.
const patience = 250 * time.Millisecond

func (n *rueidislockNode) lock(ctx context.Context, name string) (func() error, error) {
	for {
		attempt, giveUp := context.WithCancel(ctx)
		timer := time.AfterFunc(patience, giveUp)
		_, cancel, err := n.locker.WithContext(attempt, name)
		if timer.Stop() && err == nil {
			return func() error {
				cancel()
				giveUp()
				return nil
			}, nil
		}
		if err == nil {
			cancel()
		}
		giveUp()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			return nil, err
		}
	}
}

func (n *rueidislockNode) close() { n.locker.Close() }
