package lock

import (
	"context"
	"errors"
)

// Do runs section while it holds name. The ctx of section ends with ctx, and
// with ErrLost as its cause when the lease is lost; section must then stop, and
// Do reports ErrLost even if section returns nil, so that a section that lost
// its lock never looks successful. A panic in section releases the lock and
// goes on.
func Do(ctx context.Context, l Locker, name string, o Request, section func(ctx context.Context, l *Lease) error) (err error) {
	lease, err := l.Acquire(ctx, name, o)
	if err != nil {
		return err
	}
	ctx, stop := lease.guard(ctx)
	defer func() {
		stop()
		err = errors.Join(err, lease.Release(ctx))
	}()
	return section(ctx, lease)
}

// guard returns ctx with the end of the lease as a further end.
func (l *Lease) guard(ctx context.Context) (guarded context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	unlink := context.AfterFunc(l.ctx, func() { cancel(context.Cause(l.ctx)) })
	return ctx, func() {
		unlink()
		cancel(context.Canceled)
	}
}
