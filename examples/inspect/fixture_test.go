package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/workerid"
)

// patient bounds every wait of the tests.
const patient = time.Minute

// clusterAt is a small cluster with something to see in every area.
type clusterAt struct {
	env  func(string) string
	node *cohort.Node
}

// marker is a password, which no output may show.
const marker = "correct-horse"

func startCluster(t *testing.T) *clusterAt {
	t.Helper()
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	env := map[string]string{
		"CLUSTER_MODE": "3", "CLUSTER_NAMESPACE": "shop", "REDIS_URL": "redis://" + server.Addr() + "/0",
		"CACHE_DEFAULT_STORE": "redis", "LOCK_ADAPTER_DEFAULT": "redis", "QUEUE_ADAPTER": "redis",
	}
	c := &clusterAt{env: func(name string) string { return env[name] }}
	node, err := cohort.Open(t.Context(), cohort.Options{Getenv: c.env, Fresh: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := node.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	c.node = node
	c.fillQueues(t)
	c.holdLocks(t)
	for _, holder := range []string{"web-2.shop.internal 4711", "worker-1.shop.internal 4712"} {
		_, err := node.Numbers().Acquire(t.Context(), workerid.Request{Holder: holder})
		check(t, err)
	}
	_, err = node.PubSub().Subscribe(t.Context(), "config.*",
		func(context.Context, *pubsub.Delivery) error { return nil }, pubsub.SubscribeOptions{})
	check(t, err)
	for i := range 3 {
		_, err := node.PubSub().Publish(t.Context(), pubsub.Message{Channel: "config.changed", Payload: []byte{byte(i)}})
		check(t, err)
	}
	users, err := node.Cache("users")
	check(t, err)
	typed, err := cache.Of(users, cache.JSON[string](), cache.Policy{TTL: time.Hour})
	check(t, err)
	for i := range 7 {
		check(t, typed.Set(t.Context(), fmt.Sprint(i), "name"))
	}
	return c
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *clusterAt) queue(t *testing.T, name string) queue.Queue {
	t.Helper()
	q, err := c.node.Queue(name)
	check(t, err)
	return q
}

// fillQueues leaves three dead letters, ready and delayed messages, some in
// flight, and a queue that is paused.
func (c *clusterAt) fillQueues(t *testing.T) {
	t.Helper()
	mails := c.queue(t, "mails")
	for i := range 3 {
		_, err := mails.Enqueue(t.Context(), queue.Message{ID: queue.IDOf(fmt.Sprint("mail-", i)), Kind: "welcome", Payload: []byte("to: ann@example.org")})
		check(t, err)
	}
	c.letDie(t, mails, 3)
	enqueue := func(q queue.Queue, n int, m queue.Message) {
		for range n {
			_, err := q.Enqueue(t.Context(), m)
			check(t, err)
		}
	}
	enqueue(mails, 24, queue.Message{Kind: "welcome", Payload: []byte("x")})
	enqueue(mails, 5, queue.Message{Kind: "reminder", Delay: time.Hour})
	_, err := mails.Receive(t.Context(), 4, time.Hour)
	check(t, err)
	reports := c.queue(t, "reports")
	enqueue(reports, 12, queue.Message{Kind: "monthly"})
	check(t, reports.(queue.Controller).Pause(t.Context(), time.Time{}))
}

// letDie takes n messages and reports failures that are final.
func (c *clusterAt) letDie(t *testing.T, q queue.Queue, n int) {
	t.Helper()
	for n > 0 {
		ds, err := q.Receive(t.Context(), n, time.Minute)
		check(t, err)
		for _, d := range ds {
			failure := errors.New("smtp: 550 5.1.1 <ann@example.org>: mailbox unavailable, the server said that the user is unknown")
			check(t, d.Settle(t.Context(), queue.Dead(failure)))
			n--
			for died := time.Now().UnixMilli(); time.Now().UnixMilli() == died; { // so that they died in this order
				time.Sleep(time.Millisecond)
			}
		}
	}
}

// holdLocks holds two locks, for one of which another process waits.
func (c *clusterAt) holdLocks(t *testing.T) {
	t.Helper()
	_, err := c.node.Locker().Acquire(t.Context(), "rebuild-index", lock.Request{TTL: time.Minute})
	check(t, err)
	_, err = c.node.Locker().Acquire(t.Context(), "checkout/42", lock.Request{TTL: time.Minute})
	check(t, err)

	other, err := cohort.Open(t.Context(), cohort.Options{Getenv: c.env, NoWorker: true})
	check(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if _, err := other.Locker().Acquire(ctx, "checkout/42", lock.Request{}); !errors.Is(err, context.Canceled) {
			t.Errorf("the wait for a lock ended with %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		waiting.Wait()
		_ = other.Close(context.Background())
	})
	for deadline := time.Now().Add(patient); ; time.Sleep(time.Millisecond) {
		info, err := c.node.Locker().Inspect(t.Context(), "checkout/42")
		check(t, err)
		if info.Waiters == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the lock")
		}
	}
}

func (c *clusterAt) stats(t *testing.T, name string) queue.Stats {
	t.Helper()
	st, err := c.queue(t, name).(queue.Inspector).Stats(t.Context())
	check(t, err)
	return st
}
