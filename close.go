package cohort

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// DefaultGrace bounds Close where its ctx has no deadline.
const DefaultGrace = 30 * time.Second

// Close ends the Node in the order that the package describes, within ctx or
// [DefaultGrace], and joins what went wrong on the way. A step that hangs leaves
// time for those after it. Clients that the caller brought stay open. A second
// Close waits for the first.
func (n *Node) Close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, DefaultGrace)
	defer cancel()
	n.closing.Do(func() { n.closeErr = n.close(ctx) })
	return n.closeErr
}

func (n *Node) close(ctx context.Context) error {
	n.Drain()
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()

	var errs []error
	step := func(name string, end func(context.Context) error) {
		ctx, cancel := half(ctx)
		defer cancel()
		if err := end(ctx); err != nil {
			errs = append(errs, fmt.Errorf("cohort: close %s: %w", name, err))
		}
	}
	step("queues", closeAll(n.queues))
	if n.pubsub != nil {
		step("pubsub", n.pubsub.Close)
	}
	if n.locker != nil {
		step("locks", n.locker.Close)
	}
	step("caches", closeAll(n.caches))
	if n.store != nil {
		step("cache store", n.store.Close)
	}
	step("background", func(ctx context.Context) error { return n.group.Close(ctx, nil) })
	if n.identity != nil {
		n.identity.ids.Close()
	}
	if n.numbers != nil {
		step("worker number", n.numbers.Close)
	}
	if n.rabbit != nil {
		step("rabbitmq", n.rabbit.Close)
	}
	for _, c := range n.conns {
		if err := c.Close(); err != nil {
			errs = append(errs, fmt.Errorf("cohort: close %s: %w", c, err))
		}
	}
	return errors.Join(errs...)
}

// half leaves half of the time to the steps that follow.
func half(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, time.Until(end)/2)
}

type closer interface {
	Close(ctx context.Context) error
}

// closeAll closes everything in all at the same time.
func closeAll[T closer](all map[string]T) func(context.Context) error {
	return func(ctx context.Context) error {
		var mu sync.Mutex
		var errs []error
		var wg sync.WaitGroup
		for name, c := range all {
			wg.Go(func() {
				if err := c.Close(ctx); err != nil {
					mu.Lock()
					defer mu.Unlock()
					errs = append(errs, fmt.Errorf("%s: %w", name, err))
				}
			})
		}
		wg.Wait()
		return errors.Join(errs...)
	}
}
