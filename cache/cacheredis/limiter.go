package cacheredis

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/script"
)

//go:embed limiter.lua
var limiterLua string

var _ cache.Limiter = (*Limiter)(nil)

// Limiter is a cache.Limiter in Redis, on the server's clock. A call that is
// repeated because its answer was lost may count twice: it never allows too much.
type Limiter struct {
	structure
	rate   cache.Rate
	script *script.Script
}

// NewLimiter returns a Limiter that borrows client. It does no I/O. Limiters of
// one name must have one rate.
func NewLimiter(client redis.UniversalClient, rate cache.Rate, opts StructureOptions) (*Limiter, error) {
	s, err := newStructure(client, "limiter", opts)
	if err != nil {
		return nil, err
	}
	if rate, err = rate.Check(); err != nil {
		return nil, fmt.Errorf("cacheredis: %w", err)
	}
	return &Limiter{structure: s, rate: rate, script: script.New(limiterLua)}, nil
}

// Allow implements cache.Limiter.
func (l *Limiter) Allow(ctx context.Context, key string, n int) (cache.Allowance, error) {
	a, err := l.allow(ctx, key, n)
	return a, opError("allow", key, err)
}

func (l *Limiter) allow(ctx context.Context, name string, n int) (cache.Allowance, error) {
	if err := l.rate.CheckEvents(name, n); err != nil {
		return cache.Allowance{}, err
	}
	key, err := l.key(name)
	if err != nil {
		return cache.Allowance{}, err
	}
	interval := l.rate.Interval().Microseconds()
	var reply []int64
	err = l.write(ctx, func(ctx context.Context) (err error) {
		reply, err = l.script.Run(ctx, l.client, []string{key}, n, interval, l.rate.Burst).Int64Slice()
		return err
	})
	if err != nil {
		return cache.Allowance{}, err
	}
	if len(reply) != 3 {
		return cache.Allowance{}, errReply
	}
	return cache.Allowance{
		Allowed: reply[0] == 1, Remaining: int(reply[1]), RetryAfter: time.Duration(reply[2]) * time.Microsecond,
	}, nil
}

// Reset implements cache.Limiter.
func (l *Limiter) Reset(ctx context.Context, key string) error {
	_, err := l.drop(ctx, key)
	return opError("reset", key, err)
}
