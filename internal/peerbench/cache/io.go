package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	gocache "github.com/go-redis/cache/v9"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

var errMissing = errors.New("a value is missing")

func encoded(i int) []byte {
	b, err := json.Marshal(someUser(int64(i)))
	if err != nil {
		return nil
	}
	return b
}

// a driver reads and writes values in Redis, without a tier in the process.
type driver struct {
	get, set func(ctx context.Context, i int) error
	close    func()
}

type opener func(ctx context.Context, url string) (driver, error)

func reads(goroutines int) frame.Table {
	least := map[int]float64{1: 0.9, 16: 2, 64: 2.5}[goroutines]
	return table(fmt.Sprintf("read from Redis, typed, %d goroutines", goroutines), goroutines, least,
		func(d driver) func(context.Context, int) error { return d.get })
}

func writes(goroutines int) frame.Table {
	least := map[int]float64{64: 1}[goroutines]
	return table(fmt.Sprintf("write to Redis, typed, %d goroutines", goroutines), goroutines, least,
		func(d driver) func(context.Context, int) error { return d.set })
}

func table(name string, goroutines int, least float64, pick func(driver) func(context.Context, int) error) frame.Table {
	t := frame.Table{
		Name: name, Redis: true,
		Note: "Cohort's write brings its invalidation to all nodes in the same step; the others tell nobody.",
	}
	for i, c := range []struct {
		name string
		open opener
	}{
		{"cohort", cohortIO}, {"go-redis", goRedisIO}, {"go-redis/cache", goCacheIO}, {"rueidis", rueidisIO},
	} {
		contender := frame.Contender{Name: c.name, Open: cell(c.open, goroutines, pick)}
		if i == 1 {
			contender.Must = least
		}
		t.Contenders = append(t.Contenders, contender)
	}
	return t
}

func cell(open opener, goroutines int, pick func(driver) func(context.Context, int) error) func(context.Context, *frame.Env) (frame.Cell, error) {
	return func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
		d, err := open(ctx, env.RedisURL)
		if err != nil {
			return frame.Cell{}, err
		}
		for i := range keys {
			if err := d.set(ctx, i); err != nil {
				d.close()
				return frame.Cell{}, err
			}
		}
		op := pick(d)
		return frame.Cell{Close: d.close, Run: func(ctx context.Context, n int, m *frame.Meter) error {
			var next atomic.Int64
			errs := make([]error, goroutines)
			var all sync.WaitGroup
			for g := range goroutines {
				all.Go(func() {
					for errs[g] == nil {
						i := int(next.Add(1))
						if i > n {
							return
						}
						began := time.Now()
						errs[g] = op(ctx, i)
						m.Observe(time.Since(began))
					}
				})
			}
			all.Wait()
			return errors.Join(errs...)
		}}, nil
	}
}

func cohortIO(ctx context.Context, url string) (driver, error) {
	n, err := openNode(ctx, url, -1)
	if err != nil {
		return driver{}, err
	}
	return driver{
		get:   func(ctx context.Context, i int) error { _, err := n.users.Get(ctx, key(i)); return err },
		set:   func(ctx context.Context, i int) error { return n.users.Set(ctx, key(i), someUser(int64(i))) },
		close: n.close,
	}, nil
}

func goRedisIO(_ context.Context, url string) (driver, error) {
	c, err := openClient(url)
	if err != nil {
		return driver{}, err
	}
	return driver{
		get: func(ctx context.Context, i int) error {
			b, err := c.Get(ctx, "plain:"+key(i)).Bytes()
			if err != nil {
				return err
			}
			var u user
			return json.Unmarshal(b, &u)
		},
		set: func(ctx context.Context, i int) error {
			return c.Set(ctx, "plain:"+key(i), encoded(i), time.Hour).Err()
		},
		close: func() { _ = c.Close() },
	}, nil
}

func goCacheIO(_ context.Context, url string) (driver, error) {
	c, err := openClient(url)
	if err != nil {
		return driver{}, err
	}
	g := gocache.New(&gocache.Options{
		Redis:     c,
		Marshal:   func(v any) ([]byte, error) { return json.Marshal(v) },
		Unmarshal: func(b []byte, v any) error { return json.Unmarshal(b, v) },
	})
	return driver{
		get: func(ctx context.Context, i int) error {
			var u user
			return g.Get(ctx, "gocache:"+key(i), &u)
		},
		set: func(ctx context.Context, i int) error {
			return g.Set(&gocache.Item{Ctx: ctx, Key: "gocache:" + key(i), Value: someUser(int64(i)), TTL: time.Hour})
		},
		close: func() { _ = c.Close() },
	}, nil
}

func rueidisIO(_ context.Context, url string) (driver, error) {
	c, err := openRueidis(url, true)
	if err != nil {
		return driver{}, err
	}
	return driver{
		get: func(ctx context.Context, i int) error {
			b, err := c.Do(ctx, c.B().Get().Key("rueidis:"+key(i)).Build()).AsBytes()
			if err != nil {
				return err
			}
			var u user
			return json.Unmarshal(b, &u)
		},
		set: func(ctx context.Context, i int) error {
			return c.Do(ctx, c.B().Set().Key("rueidis:"+key(i)).Value(string(encoded(i))).Ex(time.Hour).Build()).Error()
		},
		close: c.Close,
	}, nil
}
