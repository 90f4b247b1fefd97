package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// BatchHandler does the jobs of several messages at once. It returns nil if all
// are done, or one error for each, in their order, as a Handler would.
type BatchHandler func(ctx context.Context, batch []*Delivery) []error

// Batch returns a Handler that gathers up to size messages, for wait at the
// longest, and hands them to f together. Set ConsumeOptions.Concurrency to at
// least size, or to a multiple of it for several batches at once. The ctx of f
// ends when that of any of its messages ends.
func Batch(size int, wait time.Duration, f BatchHandler) Handler {
	b := &batcher{size: max(size, 1), wait: wait, f: f}
	return b.handle
}

type batcher struct {
	size int
	wait time.Duration
	f    BatchHandler

	mu   sync.Mutex
	open *gathering
}

// gathering is a batch that still takes messages.
type gathering struct {
	list  []*Delivery
	ctxs  []context.Context // of the members
	full  chan struct{}
	ended chan struct{}
	errs  []error
}

// handle joins a batch. Its first member runs it, on its own goroutine.
func (b *batcher) handle(ctx context.Context, d *Delivery) error {
	g, i := b.join(ctx, d)
	if i == 0 {
		b.lead(ctx, g)
	}
	<-g.ended
	if g.errs == nil {
		return nil
	}
	return g.errs[i]
}

func (b *batcher) join(ctx context.Context, d *Delivery) (*gathering, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = &gathering{full: make(chan struct{}), ended: make(chan struct{})}
	}
	g := b.open
	g.list, g.ctxs = append(g.list, d), append(g.ctxs, ctx)
	if len(g.list) == b.size {
		close(g.full)
		b.open = nil
	}
	return g, len(g.list) - 1
}

func (b *batcher) lead(ctx context.Context, g *gathering) {
	timer := time.NewTimer(b.wait)
	defer timer.Stop()
	select {
	case <-g.full:
	case <-timer.C:
	case <-ctx.Done():
	}
	b.mu.Lock()
	if b.open == g {
		b.open = nil
	}
	b.mu.Unlock()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	for _, member := range g.ctxs[1:] {
		defer context.AfterFunc(member, func() { cancel(context.Cause(member)) })()
	}
	defer close(g.ended)
	g.errs = same(len(g.list), fmt.Errorf("%w: it called runtime.Goexit", ErrHandlerPanic)) // unless call returns
	g.errs = b.call(ctx, g.list)
}

// same is one error for each of n messages.
func same(n int, err error) []error {
	all := make([]error, n)
	for i := range all {
		all[i] = err
	}
	return all
}

// call runs f; a panic, or the wrong number of errors, fails every message.
func (b *batcher) call(ctx context.Context, list []*Delivery) (errs []error) {
	defer func() {
		if v := recover(); v != nil {
			errs = same(len(list), fmt.Errorf("%w: %v\n%s", ErrHandlerPanic, v, stack()))
		}
	}()
	errs = b.f(ctx, list)
	if len(errs) != 0 && len(errs) != len(list) {
		return same(len(list), errors.New("batch handler returned the wrong number of errors"))
	}
	return errs
}
