package cacheredis

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/script"
)

//go:embed counter.lua
var counterLua string

var _ cache.Counter = (*Counter)(nil)

// Counter is a cache.Counter in Redis. A call that is repeated because its answer
// was lost counts once: each leaves a trace of its own for half a minute.
type Counter struct {
	structure
	script *script.Script
}

// NewCounter returns a Counter that borrows client. It does no I/O.
func NewCounter(client redis.UniversalClient, opts StructureOptions) (*Counter, error) {
	s, err := newStructure(client, "counter", opts)
	if err != nil {
		return nil, err
	}
	return &Counter{structure: s, script: script.New(counterLua)}, nil
}

// trace is how long it is known that a call was counted.
const trace = 30 * time.Second

// Add implements cache.Counter.
func (c *Counter) Add(ctx context.Context, key string, delta int64, ttl time.Duration) (cache.Count, error) {
	count, err := c.add(ctx, key, delta, ttl)
	return count, opError("add", key, err)
}

func (c *Counter) add(ctx context.Context, name string, delta int64, ttl time.Duration) (cache.Count, error) {
	if err := cache.CheckCount(name, ttl); err != nil {
		return cache.Count{}, err
	}
	key, err := c.key(name)
	if err != nil {
		return cache.Count{}, err
	}
	keys := []string{key, key + ":" + hex.EncodeToString([]byte(nonce()))}
	var reply any
	err = c.write(ctx, func(ctx context.Context) (err error) {
		reply, err = c.script.Run(ctx, c.client, keys, delta, milliseconds(ttl), trace.Milliseconds()).Result()
		return err
	})
	if err != nil {
		return cache.Count{}, err
	}
	if reply == "overflow" {
		return cache.Count{}, cache.ErrOverflow
	}
	fields, _ := reply.([]any)
	if len(fields) != 2 {
		return cache.Count{}, errReply
	}
	text, _ := fields[0].(string)
	rest, _ := fields[1].(int64)
	return countOf(text, time.Duration(rest)*time.Millisecond)
}

func countOf(text string, rest time.Duration) (cache.Count, error) {
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return cache.Count{}, errReply
	}
	if rest < 0 {
		rest = cache.Forever
	}
	return cache.Count{Value: value, Expires: rest}, nil
}

// Get implements cache.Counter.
func (c *Counter) Get(ctx context.Context, key string) (cache.Count, error) {
	count, err := c.get(ctx, key)
	return count, opError("get", key, err)
}

func (c *Counter) get(ctx context.Context, name string) (cache.Count, error) {
	key, err := c.key(name)
	if err != nil {
		return cache.Count{}, err
	}
	var value *redis.StringCmd
	var rest *redis.DurationCmd
	err = c.read(ctx, func(ctx context.Context) error {
		p := c.client.TxPipeline()
		value, rest = p.Get(ctx, key), p.PTTL(ctx, key)
		_, err := p.Exec(ctx)
		if errors.Is(err, redis.Nil) {
			return nil
		}
		return err
	})
	if err != nil || errors.Is(value.Err(), redis.Nil) {
		return cache.Count{}, err
	}
	return countOf(value.Val(), rest.Val())
}

// Reset implements cache.Counter.
func (c *Counter) Reset(ctx context.Context, key string) (bool, error) {
	n, err := c.drop(ctx, key)
	return n > 0, opError("reset", key, err)
}
