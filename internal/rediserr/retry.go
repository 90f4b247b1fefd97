package rediserr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
)

// DefaultTimeout bounds a Retry whose ctx has no deadline and whose caller
// names no time.
const DefaultTimeout = 5 * time.Second

// pause is short at first, because a failover elsewhere ends without notice,
// and never longer than what a caller would take for a hang.
var pause = backoff.Policy{Base: 5 * time.Millisecond, Max: 100 * time.Millisecond, Jitter: 0.5}

// Retry calls f until it returns nil or an error that is not Retryable, or until
// ctx ends. A ctx without a deadline gets one of opTimeout, 0 meaning
// DefaultTimeout. What f sends must be idempotent: an attempt that failed may
// have run.
//
// The error is that of the last attempt, and the cause of ctx's end if that is
// why no further one was made. It is Uncertain if any attempt was.
func Retry(ctx context.Context, opTimeout time.Duration, f func(ctx context.Context) error) error {
	if _, ok := ctx.Deadline(); !ok {
		if opTimeout == 0 {
			opTimeout = DefaultTimeout
		}
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		return &retryError{err: context.Cause(ctx)}
	}
	var failed error // the last attempt that says why
	uncertain := false
	for attempt := 0; ; attempt++ {
		err := f(ctx)
		if err == nil {
			return nil
		}
		uncertain = uncertain || Uncertain(err)
		switch {
		case Retryable(err):
			failed = err
		case failed != nil && ctx.Err() != nil:
			return &retryError{err: fmt.Errorf("%w: %w", err, failed), uncertain: uncertain}
		default:
			return final(err, uncertain)
		}
		if ended := backoff.Sleep(ctx, pause.Delay(attempt)); ended != nil {
			return &retryError{err: fmt.Errorf("%w: %w", ended, err), uncertain: uncertain}
		}
	}
}

// final gives err the memory of earlier attempts, unless err is the caller's own
// reading of a reply: an idempotent command that was answered has one outcome.
func final(err error, uncertain bool) error {
	if uncertain && !Uncertain(err) && isReply(err) && !errors.Is(err, redis.Nil) {
		return &retryError{err: err, uncertain: true}
	}
	return err
}

// retryError is the outcome of several attempts.
type retryError struct {
	err       error
	uncertain bool
}

func (e *retryError) Error() string { return e.err.Error() }

func (e *retryError) Unwrap() error { return e.err }
