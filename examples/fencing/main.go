// Command fencing shows why a lock on a network needs a fence, and what a section
// that is guarded by one looks like.
//
//	go run ./examples/fencing
//	REDIS_URL=redis://localhost:6379 go run ./examples/fencing
//
// Two nodes add to one account. The first falls asleep while it holds the lock, as
// a process does that is swapped out or frozen; its lease ends, the second node
// gets the lock and writes. When the first one wakes up and writes, too, the
// account refuses it: it has seen a larger fence.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/internal/redisurl"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

func main() {
	if err := run(context.Background(), os.Getenv("REDIS_URL"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fencing:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, out io.Writer) error {
	client, done, err := open(url)
	if err != nil {
		return err
	}
	defer done()
	account, err := lockredis.NewFenceGate(client, "fencing")
	if err != nil {
		return err
	}
	first, err := lockredis.New(client, lockredis.Options{Namespace: "fencing"})
	if err != nil {
		return err
	}
	defer func() { _ = first.Close(ctx) }()
	second, err := lockredis.New(client, lockredis.Options{Namespace: "fencing"})
	if err != nil {
		return err
	}
	defer func() { _ = second.Close(ctx) }()

	slept := make(chan error, 1)
	holds, written := make(chan struct{}), make(chan struct{})
	go func() { // ends with its section
		o := lock.Request{TTL: 200 * time.Millisecond, NoRenew: true}
		slept <- lock.Do(ctx, first, "account", o, func(_ context.Context, l *lock.Lease) error {
			balance, err := read(ctx, account, l)
			fmt.Fprintln(out, "first:  read", balance, "and falls asleep")
			close(holds)
			<-written // longer than its lease lasts
			fmt.Fprintln(out, "first:  wakes up and writes", balance+100)
			return errors.Join(err, write(ctx, account, l, balance+100))
		})
	}()
	<-holds
	err = lock.Do(ctx, second, "account", lock.Request{}, func(_ context.Context, l *lock.Lease) error {
		balance, err := read(ctx, account, l)
		fmt.Fprintln(out, "second: has the lock, writes", balance+1)
		return errors.Join(err, write(ctx, account, l, balance+1))
	})
	close(written)
	asleep := <-slept
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "first:  stale:", errors.Is(asleep, lock.ErrStale), "lost:", errors.Is(asleep, lock.ErrLost))
	value, err := account.Get(ctx, "account")
	fmt.Fprintln(out, "the account has", string(value))
	return err
}

// read shows the fence to the account before it reads: no earlier holder can write
// from then on.
func read(ctx context.Context, account *lockredis.FenceGate, l *lock.Lease) (balance int, err error) {
	if err := account.Enter(ctx, "account", l.Fence()); err != nil {
		return 0, err
	}
	value, err := account.Get(ctx, "account")
	if err != nil || value == nil {
		return 0, err
	}
	return strconv.Atoi(string(value))
}

func write(ctx context.Context, account *lockredis.FenceGate, l *lock.Lease, balance int) error {
	return account.Set(ctx, "account", l.Fence(), []byte(strconv.Itoa(balance)))
}

// open connects to url, or to a Redis of its own.
func open(url string) (client redis.UniversalClient, done func(), err error) {
	if url == "" {
		server, err := embedded.Start()
		if err != nil {
			return nil, nil, err
		}
		client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
		return client, func() {
			_ = client.Close()
			server.Close()
		}, nil
	}
	target, err := redisurl.Parse(url)
	if err != nil {
		return nil, nil, err
	}
	client = target.NewClient()
	return client, func() { _ = client.Close() }, nil
}
