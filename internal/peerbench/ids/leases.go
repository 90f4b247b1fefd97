package ids

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// nodes is how many start at the same time.
const nodes = 32

func leases() frame.Table {
	return frame.Table{
		Name: "32 nodes start at once",
		Note: "The time until all 32 hold a number; each has a connection already, and gives its number back afterwards. " +
			"The last two rows are what the machine takes for 32 clients that ask the server for nothing.",
		Redis:   true,
		Compare: "p50 ms",
		Contenders: []frame.Contender{
			{Name: "cohort `Acquire`", Operations: 20, Open: acquire},
			{Name: "SET NX, probing from 0", Operations: 20, Open: probe},
			{Name: "an empty script", Operations: 20, Open: nothing},
			{Name: "PING", Operations: 20, Open: ping},
		},
	}
}

// fleet opens a connection for each node and returns a Cell that starts them all,
// each time in a namespace of its own. Take returns what gives the number back.
func fleet(ctx context.Context, env *frame.Env, take func(ctx context.Context, c *redis.Client, namespace string) (back func() error, err error)) (frame.Cell, error) {
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
	start := func(ctx context.Context, m *frame.Meter) error {
		namespace := fmt.Sprintf("fleet-%d", time.Now().UnixNano())
		backs, errs := make([]func() error, nodes), make([]error, nodes)
		var wg sync.WaitGroup
		begin := time.Now()
		for i, c := range clients {
			wg.Go(func() { backs[i], errs[i] = take(ctx, c, namespace) })
		}
		wg.Wait()
		m.Observe(time.Since(begin))
		for i := range nodes {
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
				if err := start(ctx, m); err != nil {
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

func acquire(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	return fleet(ctx, env, func(ctx context.Context, c *redis.Client, namespace string) (func() error, error) {
		numbers, err := workeridredis.New(c, workeridredis.Options{Namespace: namespace, Options: workerid.Options{Fresh: true}})
		if err != nil {
			return nil, err
		}
		_, err = numbers.Acquire(ctx, workerid.Request{Holder: "peerbench"})
		return func() error { return numbers.Close(ctx) }, err
	})
}

func probe(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	return fleet(ctx, env, func(ctx context.Context, c *redis.Client, namespace string) (func() error, error) {
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
func nothing(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	empty := redis.NewScript("return 1")
	return fleet(ctx, env, func(ctx context.Context, c *redis.Client, namespace string) (func() error, error) {
		return func() error { return nil }, empty.Run(ctx, c, []string{namespace}).Err()
	})
}

// ping is what a round trip costs.
func ping(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	return fleet(ctx, env, func(ctx context.Context, c *redis.Client, _ string) (func() error, error) {
		return func() error { return nil }, c.Ping(ctx).Err()
	})
}
