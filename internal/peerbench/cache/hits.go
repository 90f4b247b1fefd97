package cache

import (
	"context"
	"errors"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// hits compares reads that stay in the process.
func hits() frame.Table {
	return frame.Table{
		Name:  "hit in the process, typed, with its TTL",
		Redis: true,
		Note: "Cohort's hit checks on each read that the copy is proven to be current; otter alone knows of no other process. " +
			"The two Redis clients return text that their caller has yet to decode.",
		Contenders: []frame.Contender{
			{Name: "cohort", Open: cohortHits},
			{Name: "otter, with a TTL", Open: otterHits, Must: 1 / 1.5},
			{Name: "rueidis DoCache", Open: rueidisHits, Must: 4},
			{Name: "go-redis client-side caching", Open: goRedisHits, Must: 8},
		},
	}
}

func cohortHits(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	n, err := openNode(ctx, env.RedisURL, 10_000)
	if err != nil {
		return frame.Cell{}, err
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = key(i)
		if err := n.users.Set(ctx, names[i], someUser(int64(i))); err != nil {
			n.close()
			return frame.Cell{}, err
		}
	}
	load := func(context.Context, string) (user, error) { return user{}, nil }
	return frame.Cell{Close: n.close, Run: func(ctx context.Context, count int, _ *frame.Meter) error {
		for i := range count {
			if _, err := n.users.GetOrLoad(ctx, names[i%keys], load); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

func otterHits(context.Context, *frame.Env) (frame.Cell, error) {
	c, err := otter.New(&otter.Options[string, user]{
		MaximumSize: 10_000, ExpiryCalculator: otter.ExpiryWriting[string, user](time.Hour),
	})
	if err != nil {
		return frame.Cell{}, err
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = key(i)
		c.Set(names[i], someUser(int64(i)))
	}
	return frame.Cell{Close: func() { c.StopAllGoroutines() }, Run: func(_ context.Context, count int, _ *frame.Meter) error {
		for i := range count {
			if _, ok := c.GetIfPresent(names[i%keys]); !ok {
				return errMissing
			}
		}
		return nil
	}}, nil
}

func rueidisHits(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	c, err := openRueidis(env.RedisURL, false)
	if err != nil {
		return frame.Cell{}, err
	}
	names := make([]string, keys)
	for i := range names {
		names[i] = "rueidis:" + key(i)
		if err := c.Do(ctx, c.B().Set().Key(names[i]).Value(string(encoded(i))).Ex(time.Hour).Build()).Error(); err != nil {
			c.Close()
			return frame.Cell{}, err
		}
	}
	return frame.Cell{Close: c.Close, Run: func(ctx context.Context, count int, _ *frame.Meter) error {
		for i := range count {
			if _, err := c.DoCache(ctx, c.B().Get().Key(names[i%keys]).Cache(), time.Hour).ToString(); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

// goRedisHits reads by go-redis' client-side caching, which it calls experimental.
func goRedisHits(ctx context.Context, env *frame.Env) (frame.Cell, error) {
	o, err := redis.ParseURL(env.RedisURL)
	if err != nil {
		return frame.Cell{}, err
	}
	o.Protocol, o.ClientSideCacheConfig = 3, &redis.ClientSideCacheConfig{}
	c := redis.NewClient(o)
	names := make([]string, keys)
	for i := range names {
		names[i] = "csc:" + key(i)
		if err := c.Set(ctx, names[i], encoded(i), time.Hour).Err(); err != nil {
			return frame.Cell{}, errors.Join(err, c.Close())
		}
	}
	return frame.Cell{Close: func() { _ = c.Close() }, Run: func(ctx context.Context, count int, _ *frame.Meter) error {
		for i := range count {
			if err := c.Get(ctx, names[i%keys]).Err(); err != nil {
				return err
			}
		}
		return nil
	}}, nil
}

func openRueidis(url string, plain bool) (rueidis.Client, error) {
	o, err := rueidis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.DisableCache = plain
	return rueidis.NewClient(o)
}
