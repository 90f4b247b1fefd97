package lock

import (
	"context"
	"errors"
	"slices"
)

// All is a set of leases that were taken together.
type All struct {
	leases []*Lease // in the order of their names
	ctx    context.Context
	stop   func()
}

// AcquireAll takes every name, in sorted order, so that two callers that want
// the same names never wait for each other. If one of them fails, those that
// were taken are released, and the error names it. A name that is given twice is
// taken once.
func AcquireAll(ctx context.Context, l Locker, o Request, names ...string) (*All, error) {
	names = slices.Compact(slices.Sorted(slices.Values(names)))
	all := &All{leases: make([]*Lease, 0, len(names))}
	for _, name := range names {
		lease, err := l.Acquire(ctx, name, o)
		if err != nil {
			return nil, errors.Join(err, all.Release(ctx))
		}
		all.leases = append(all.leases, lease)
	}
	all.watch(ctx)
	return all, nil
}

// watch makes the context that ends with the first of the leases.
func (a *All) watch(ctx context.Context) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unlink := make([]func() bool, 0, len(a.leases))
	for _, l := range a.leases {
		unlink = append(unlink, context.AfterFunc(l.ctx, func() { cancel(context.Cause(l.ctx)) }))
	}
	a.ctx = ctx
	a.stop = func() {
		cancel(ErrReleased)
		for _, f := range unlink {
			f()
		}
	}
}

// Context ends when the first of the leases ends; its cause is ErrLost or
// ErrReleased.
func (a *All) Context() context.Context { return a.ctx }

// Leases are the leases in the order of their names.
func (a *All) Leases() []*Lease { return slices.Clone(a.leases) }

// Release releases all, the last one taken first, and joins the errors.
func (a *All) Release(ctx context.Context) error {
	if a.stop != nil {
		a.stop()
	}
	var errs []error
	for _, l := range slices.Backward(a.leases) {
		errs = append(errs, l.Release(ctx))
	}
	return errors.Join(errs...)
}
