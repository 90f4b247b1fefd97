package cacheredis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
)

// read runs f, which changes nothing, until it has an answer or time is up.
func (s *Store) read(ctx context.Context, f func(ctx context.Context) error) error {
	err := s.attempt(ctx, f)
	if err == nil || !away(err) {
		return err
	}
	if cause := ended(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("%w: %w", cache.ErrUnavailable, err)
}

// write is read for an f that changes something and may be repeated.
func (s *Store) write(ctx context.Context, f func(ctx context.Context) error) error {
	err := s.attempt(ctx, f)
	switch {
	case err == nil:
		return nil
	case rediserr.Uncertain(err):
		return fmt.Errorf("%w: %w", cache.ErrUncertain, err)
	case !away(err):
		return err
	}
	if cause := ended(ctx); cause != nil {
		return cause
	}
	return fmt.Errorf("%w: %w", cache.ErrUnavailable, err)
}

func (s *Store) attempt(ctx context.Context, f func(ctx context.Context) error) error {
	err := redisconn.Retry(ctx, s.client, s.opts.OpTimeout, f)
	if err == nil || !away(err) {
		s.breaker.ok()
	} else if ended(ctx) == nil || errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		if s.breaker.failed() {
			s.group.Go("probe", s.probe)
		}
	}
	return err
}

// away reports an error that does not come from the server's answer.
func away(err error) bool {
	if errors.Is(err, redis.Nil) {
		return false
	}
	_, reply := errors.AsType[redis.Error](err)
	return !reply || rediserr.Retryable(err)
}

// ended is the cause of ctx's end, for errors that are the caller's own.
func ended(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}
