package lock

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// campaign spaces out the attempts of a candidate whose server does not answer.
var campaign = backoff.Policy{Base: 50 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.5}

// Lead campaigns for name and runs lead while this process is the leader. The
// term is the fence of the lease: it grows with every leader, and a resource
// that checks it refuses the orders of a leader that was replaced.
//
// When leadership is lost, the ctx of lead ends with ErrLost as its cause, and
// Lead campaigns again once lead has returned. Otherwise the return of lead
// resigns and ends Lead with its error. When ctx ends, Lead resigns and returns
// the cause. Errors of the backend are waited out; ErrClosed and refused
// requests are returned.
func Lead(ctx context.Context, l Locker, name string, o Request, lead func(ctx context.Context, term uint64) error) error {
	for attempt := 0; ; {
		lease, err := l.Acquire(ctx, name, o)
		switch {
		case ctx.Err() != nil:
			return resign(ctx, lease, context.Cause(ctx))
		case err == nil:
			attempt = 0
			if done, err := reign(ctx, lease, lead); done {
				return err
			}
		case !worthAnother(err):
			return err
		}
		if err := backoff.Sleep(ctx, campaign.Delay(attempt)); err != nil {
			return err
		}
		attempt++
	}
}

// reign runs lead for one term. It is done unless the term ended by a loss.
func reign(ctx context.Context, lease *Lease, lead func(ctx context.Context, term uint64) error) (done bool, err error) {
	guarded, stop := lease.guard(ctx)
	defer stop()
	defer func() {
		released := lease.Release(ctx)
		if done = ctx.Err() != nil || !errors.Is(released, ErrLost); done && ctx.Err() != nil && err == nil {
			err = context.Cause(ctx)
		}
		done = done || errors.Is(released, ErrClosed)
	}()
	return true, lead(guarded, lease.Fence())
}

// resign gives back a lease that came at the end of ctx.
func resign(ctx context.Context, lease *Lease, cause error) error {
	if lease == nil {
		return cause
	}
	return errors.Join(cause, lease.Release(ctx))
}

// worthAnother reports whether a candidate may succeed later.
func worthAnother(err error) bool {
	for _, final := range []error{ErrClosed, ErrInvalidName, ErrInvalidTTL, ErrInvalidOptions, ErrUnsupported} {
		if errors.Is(err, final) {
			return false
		}
	}
	return true
}
