package cacheredis

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/rediskey"
)

// StructureOptions tune a Bloom, Counter or Limiter.
type StructureOptions struct {
	// Namespace begins every key. Default "cohort".
	Namespace string
	// OpTimeout bounds a call whose ctx has no deadline. Default 2 s.
	OpTimeout time.Duration
}

// structure is what they share: one key per name, in a slot of its own.
type structure struct {
	client redis.UniversalClient
	area   string
	opts   StructureOptions
}

func newStructure(client redis.UniversalClient, area string, o StructureOptions) (structure, error) {
	if err := redisconn.Check(client); err != nil {
		return structure{}, fmt.Errorf("cacheredis: %w", err)
	}
	if err := rediskey.Namespace(o.Namespace); err != nil {
		return structure{}, fmt.Errorf("cacheredis: %w", err)
	}
	if o.OpTimeout < 0 {
		return structure{}, fmt.Errorf("cacheredis: OpTimeout is %v, want more than 0", o.OpTimeout)
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 2 * time.Second
	}
	return structure{client: client, area: area, opts: o}, nil
}

func (s *structure) key(name string) (string, error) {
	if len(name) > cache.MaxKey {
		return "", tooLong(name)
	}
	encoded, err := rediskey.Encode(name)
	if err != nil {
		return "", err
	}
	return rediskey.Join(s.opts.Namespace, s.area, encoded, ""), nil
}

func (s *structure) read(ctx context.Context, f func(ctx context.Context) error) error {
	err := redisconn.Retry(ctx, s.client, s.opts.OpTimeout, f)
	if err == nil || !away(err) {
		return err
	}
	if cause := ended(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("%w: %w", cache.ErrUnavailable, err)
}

func (s *structure) write(ctx context.Context, f func(ctx context.Context) error) error {
	err := redisconn.Retry(ctx, s.client, s.opts.OpTimeout, f)
	switch {
	case err == nil, !away(err):
		return err
	case rediserr.Uncertain(err):
		return uncertain(err)
	}
	if cause := ended(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("%w: %w", cache.ErrUnavailable, err)
}

// drop removes the key of name.
func (s *structure) drop(ctx context.Context, name string) (n int64, err error) {
	key, err := s.key(name)
	if err != nil {
		return 0, err
	}
	err = s.write(ctx, func(ctx context.Context) (err error) {
		n, err = s.client.Unlink(ctx, key).Result()
		return err
	})
	return n, err
}
