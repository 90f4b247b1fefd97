package cohort

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// identity is the node's worker number and the generator that makes IDs with it.
type identity struct {
	numbers workerid.Allocator
	lease   atomic.Pointer[workerid.Lease]
	ids     *snowflake.Generator
	log     *slog.Logger
}

func newIdentity(ctx context.Context, numbers workerid.Allocator, first workerid.Request, layout snowflake.Layout, log *slog.Logger) (*identity, error) {
	lease, err := numbers.Acquire(ctx, first)
	if err != nil {
		return nil, err
	}
	ids, err := snowflake.New(lease, snowflake.Options{Layout: layout, AwaitRebind: true})
	if err != nil {
		return nil, err
	}
	id := &identity{numbers: numbers, ids: ids, log: log}
	id.lease.Store(lease)
	return id, nil
}

// ready reports why no ID can be made for now.
func (i *identity) ready(context.Context) error {
	return context.Cause(i.lease.Load().Context())
}

// keep takes another number whenever the one it has is lost, until ctx ends.
func (i *identity) keep(ctx context.Context) {
	for {
		lease := i.lease.Load()
		select {
		case <-ctx.Done():
			return
		case <-lease.Context().Done():
		}
		if !errors.Is(context.Cause(lease.Context()), workerid.ErrLost) {
			return // released: the node ends
		}
		i.log.Warn("worker number lost, taking another", "worker", lease.ID())
		if !i.renew(ctx) {
			return
		}
	}
}

// renew tries until it has bound the generator to a new number or ctx ends.
func (i *identity) renew(ctx context.Context) bool {
	pause := backoff.Policy{Base: 50 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.5}
	for attempt := 0; ; attempt++ {
		lease, err := i.numbers.Acquire(ctx, workerid.Request{Wait: true})
		if err == nil {
			if err = i.ids.Rebind(lease); err == nil {
				i.lease.Store(lease)
				i.log.Info("worker number taken", "worker", lease.ID())
				return true
			}
			err = errors.Join(err, lease.Release(ctx))
		}
		if errors.Is(err, workerid.ErrClosed) || errors.Is(err, snowflake.ErrClosed) {
			return false
		}
		i.log.Warn("no worker number yet", "error", err)
		if backoff.Sleep(ctx, pause.Delay(attempt)) != nil {
			return false
		}
	}
}
