package cache

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	gocache "github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// staleness measures how long another node returns the older value after a write
// returned.
func staleness() frame.Table {
	return frame.Table{
		Name: "time until another node reads what was written", Redis: true, Compare: "p50 ms",
		Note: fmt.Sprintf("The other node looks every %v.", lookEvery),
		Contenders: []frame.Contender{
			{Name: "cohort", Open: cohortStaleness, Operations: 300},
			{Name: "rueidis DoCache", Open: rueidisStaleness, Operations: 300},
		},
	}
}

func cohortStaleness(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	a, err := openNode(ctx, env.RedisURL, 1000)
	if err != nil {
		return frame.Cell{}, err
	}
	b, err := openNode(ctx, env.RedisURL, 1000)
	if err != nil {
		a.close()
		return frame.Cell{}, err
	}
	return follow(
		func(ctx context.Context, i int64) error { return a.users.Set(ctx, "k", someUser(i)) },
		func(ctx context.Context) (int64, error) { u, err := b.users.Get(ctx, "k"); return u.ID, err },
		func() { a.close(); b.close() },
	), nil
}

func rueidisStaleness(_ context.Context, env *frame.Env) (frame.Cell, error) {
	a, err := openClient(env.RedisURL)
	if err != nil {
		return frame.Cell{}, err
	}
	b, err := openRueidis(env.RedisURL, false)
	if err != nil {
		_ = a.Close()
		return frame.Cell{}, err
	}
	return follow(
		func(ctx context.Context, i int64) error { return a.Set(ctx, "r", i, time.Hour).Err() },
		func(ctx context.Context) (int64, error) {
			return b.DoCache(ctx, b.B().Get().Key("r").Cache(), time.Hour).AsInt64()
		},
		func() { _ = a.Close(); b.Close() },
	), nil
}

// lookEvery leaves the machine to the other goroutines and the server between looks.
const lookEvery = 50 * time.Microsecond

// follow writes n times and reads elsewhere until each is seen.
func follow(set func(context.Context, int64) error, get func(context.Context) (int64, error), close func()) frame.Cell {
	var last int64
	return frame.Cell{Close: close, Run: func(ctx context.Context, n int, m *frame.Meter) error {
		for range n {
			last++
			if err := set(ctx, last); err != nil {
				return err
			}
			wrote := time.Now()
			for {
				began := time.Now()
				got, err := get(ctx)
				if err != nil {
					return err
				}
				if got >= last {
					m.Observe(max(began.Sub(wrote), time.Microsecond))
					break
				}
				time.Sleep(lookEvery)
			}
		}
		return nil
	}}
}

// Of a stampede: nodes, callers on each, and how long a load takes.
const (
	herdNodes   = 3
	herdCallers = 200
	loadTime    = 50 * time.Millisecond
)

// stampede measures the answers to many callers of a cold key.
func stampede() frame.Table {
	return frame.Table{
		Name: fmt.Sprintf("cold key, %d nodes × %d callers, loader of %v", herdNodes, herdCallers, loadTime), Redis: true,
		Note: "A node is a client and a cache of its own in this process.",
		Contenders: []frame.Contender{
			{Name: "cohort", Open: cohortHerd, Operations: 1},
			{Name: "go-redis/cache", Open: goCacheHerd, Operations: 1},
		},
	}
}

func cohortHerd(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	var nodes []*node
	closeAll := func() {
		for _, n := range nodes {
			n.close()
		}
	}
	for range herdNodes {
		n, err := openNode(ctx, env.RedisURL, 1000)
		if err != nil {
			closeAll()
			return frame.Cell{}, err
		}
		nodes = append(nodes, n)
	}
	return herd(closeAll, func(ctx context.Context, i int, key string, load func()) error {
		_, err := nodes[i].users.GetOrLoad(ctx, key, func(context.Context, string) (user, error) {
			load()
			return someUser(1), nil
		})
		return err
	}), nil
}

func goCacheHerd(_ context.Context, env *frame.Env) (frame.Cell, error) {
	var clients []*redis.Client
	var nodes []*gocache.Cache
	closeAll := func() {
		for _, c := range clients {
			_ = c.Close()
		}
	}
	for range herdNodes {
		c, err := openClient(env.RedisURL)
		if err != nil {
			closeAll()
			return frame.Cell{}, err
		}
		clients = append(clients, c)
		nodes = append(nodes, gocache.New(&gocache.Options{Redis: c}))
	}
	return herd(closeAll, func(ctx context.Context, i int, key string, load func()) error {
		var u user
		return nodes[i].Once(&gocache.Item{Ctx: ctx, Key: key, Value: &u, TTL: time.Hour, Do: func(*gocache.Item) (any, error) {
			load()
			return someUser(1), nil
		}})
	}), nil
}

func herd(close func(), get func(ctx context.Context, node int, key string, load func()) error) frame.Cell {
	var cold atomic.Int64
	return frame.Cell{Close: close, Run: func(ctx context.Context, n int, m *frame.Meter) error {
		for range n {
			name := fmt.Sprint("cold", time.Now().UnixNano(), cold.Add(1))
			var loads, failed atomic.Int64
			began := time.Now()
			var all sync.WaitGroup
			for i := range herdNodes * herdCallers {
				all.Go(func() {
					if get(ctx, i%herdNodes, name, func() { loads.Add(1); time.Sleep(loadTime) }) != nil {
						failed.Add(1)
					}
				})
			}
			all.Wait()
			if failed.Load() > 0 {
				return errMissing
			}
			m.Metric("loads", float64(loads.Load()))
			m.Metric("last answer after the load, ms", float64((time.Since(began)-loadTime).Microseconds())/1000)
		}
		return nil
	}}
}
