package workerid

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Holders implements Allocator.
func (a *allocator) Holders(ctx context.Context) ([]Holder, error) {
	leave, err := a.group.Enter()
	if err != nil {
		return nil, &OpError{Op: "holders", ID: -1, Err: err}
	}
	defer leave()
	var list []Holder
	err = a.attempt(ctx, func(ctx context.Context) (err error) {
		list, err = a.backend.Holders(ctx)
		return err
	})
	if err != nil {
		return nil, &OpError{Op: "holders", ID: -1, Err: err}
	}
	slices.SortFunc(list, func(x, y Holder) int { return x.ID - y.ID })
	return list, nil
}

// Close implements Allocator.
func (a *allocator) Close(ctx context.Context) error {
	return a.group.Close(ctx, func(ctx context.Context) error {
		a.mu.Lock()
		var held []*Lease
		for l := range a.leases {
			held = append(held, l)
		}
		a.mu.Unlock()
		errs := make([]error, len(held))
		var wg sync.WaitGroup
		for i, l := range held {
			wg.Go(func() { // all at once, since each may wait as long as ctx allows
				if err := l.release(ctx); err != nil {
					errs[i] = &OpError{Op: "release", ID: l.id, Err: err}
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	})
}

// forget drops a lease that ended.
func (a *allocator) forget(l *Lease) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.leases, l)
}

// attempt does one round trip within ctx, or within OpTimeout if ctx has no
// deadline. The error says why ctx ended, if it did.
func (a *allocator) attempt(ctx context.Context, f func(ctx context.Context) error) error {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, a.opts.OpTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err := f(ctx)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// sleep waits for d, for the end of ctx, or for Close.
func (a *allocator) sleep(ctx context.Context, d time.Duration) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(a.group.Context(), func() { cancel(ErrClosed) })()
	return backoff.Sleep(ctx, d)
}

// observe corrects the process clock by the server's and returns how far that is
// ahead of it, as far as a round trip that began at sent can tell.
func (a *allocator) observe(g Grant, sent time.Time) time.Duration {
	a.clock.confirm(g.Time + a.terms.Skew)
	return millis(g.Time-a.clock.now()) + time.Since(sent)/2
}
