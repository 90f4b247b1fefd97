package ids

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// A fleet is how many nodes start at the same time.
type fleet int

func (nodes fleet) leases(rounds int) frame.Table {
	t := frame.Table{
		Name: fmt.Sprintf("%d nodes start at once", nodes),
		Note: "The time until all hold a number; each has a connection already, and gives its number back afterwards. " +
			"The last two rows are what the machine takes for as many clients that ask the server for nothing.",
		Redis:   true,
		Compare: "p50 ms",
		Contenders: []frame.Contender{
			{Name: "cohort `Acquire`", Operations: rounds, Open: nodes.acquire},
			{Name: "an empty script", Operations: rounds, Open: nodes.nothing},
			{Name: "PING", Operations: rounds, Open: nodes.ping},
		},
	}
	if nodes <= 32 { // each tries all that are taken
		t.Contenders = slices.Insert(t.Contenders, 1,
			frame.Contender{Name: "SET NX, probing from 0", Operations: rounds, Open: nodes.probe})
	}
	return t
}

// start opens a connection for each node and returns a Cell that starts them all,
// each time in a namespace of its own. Take returns what gives the number back.
func (nodes fleet) start(ctx context.Context, env *frame.Env, take func(ctx context.Context, c *redis.Client, namespace string) (back func() error, err error)) (frame.Cell, error) {
	opts, err := redis.ParseURL(env.RedisURL)
	if err != nil {
		return frame.Cell{}, err
	}
	clients := make([]*redis.Client, nodes)
	for i := range clients {
		clients[i] = redis.NewClient(opts)
		if err := clients[i].Ping(ctx).Err(); err != nil {
			return frame.Cell{}, err
		}
	}
	once := func(ctx context.Context, m *frame.Meter) error {
		namespace := fmt.Sprintf("fleet-%d", time.Now().UnixNano())
		backs, errs := make([]func() error, nodes), make([]error, nodes)
		var wg sync.WaitGroup
		begin := time.Now()
		for i, c := range clients {
			wg.Go(func() { backs[i], errs[i] = take(ctx, c, namespace) })
		}
		wg.Wait()
		m.Observe(time.Since(begin))
		for i := range errs {
			if errs[i] != nil {
				return errs[i]
			}
			if err := backs[i](); err != nil {
				return err
			}
		}
		return nil
	}
	return frame.Cell{
		Run: func(ctx context.Context, n int, m *frame.Meter) error {
			for range n {
				if err := once(ctx, m); err != nil {
					return err
				}
			}
			return nil
		},
		Close: func() {
			for _, c := range clients {
				_ = c.Close()
			}
		},
	}, nil
}

func (nodes fleet) acquire(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	return nodes.start(ctx, env, func(ctx context.Context, c *redis.Client, namespace string) (func() error, error) {
		numbers, err := workeridredis.New(c, workeridredis.Options{Namespace: namespace, Options: workerid.Options{Count: int(nodes), Fresh: true}})
		if err != nil {
			return nil, err
		}
		_, err = numbers.Acquire(ctx, workerid.Request{Holder: "peerbench"})
		return func() error { return numbers.Close(ctx) }, err
	})
}

func (nodes fleet) probe(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	return nodes.start(ctx, env, func(ctx context.Context, c *redis.Client, namespace string) (func() error, error) {
		for i := range nodes {
			key := fmt.Sprintf("%s:%d", namespace, i)
			got, err := c.SetNX(ctx, key, "peerbench", 30*time.Second).Result()
			if err != nil {
				return nil, err
			}
			if got {
				return func() error { return c.Del(ctx, key).Err() }, nil
			}
		}
		return nil, fmt.Errorf("all %d numbers are taken", nodes)
	})
}

// nothing is what a script costs that does nothing.
func (nodes fleet) nothing(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	empty := redis.NewScript("return 1")
	return nodes.start(ctx, env, func(ctx context.Context, c *redis.Client, namespace string) (func() error, error) {
		return func() error { return nil }, empty.Run(ctx, c, []string{namespace}).Err()
	})
}

// ping is what a round trip costs.
func (nodes fleet) ping(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	return nodes.start(ctx, env, func(ctx context.Context, c *redis.Client, _ string) (func() error, error) {
		return func() error { return nil }, c.Ping(ctx).Err()
	})
}
