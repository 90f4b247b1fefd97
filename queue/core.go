package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

var (
	_ Queue      = (*core)(nil)
	_ Inspector  = (*core)(nil)
	_ Controller = (*core)(nil)
)

// core is the Queue over any Backend.
type core struct {
	name      string
	backend   Backend
	caps      Capabilities
	opts      Options
	life      *lifecycle.Group
	flushes   flushes
	receivers receivers

	mu        sync.Mutex
	consumers map[*Consumer]struct{}
}

// New returns a Queue that stores its messages in b and closes b with itself. It
// does no I/O. The Queue is also an [Inspector] and a [Controller].
func New(name string, b Backend, opts Options) (Queue, error) {
	opts, err := opts.withDefaults()
	switch {
	case err != nil:
		return nil, fmt.Errorf("queue: %w", err)
	case name == "":
		return nil, errors.New("queue: name is empty")
	case b == nil:
		return nil, errors.New("queue: backend is nil")
	}
	q := &core{
		name:      name,
		backend:   b,
		caps:      b.Capabilities(),
		opts:      opts,
		life:      lifecycle.New(ErrClosed),
		consumers: make(map[*Consumer]struct{}),
	}
	q.flushes = flushes{send: b.Enqueue, timeout: opts.OpTimeout, life: q.life, apart: q.caps.Pipelined}
	return q, nil
}

// Capabilities implements Queue.
func (q *core) Capabilities() Capabilities { return q.caps }

// Close implements Queue.
func (q *core) Close(ctx context.Context) error {
	return q.life.Close(ctx, func(ctx context.Context) error {
		err := q.closeConsumers(ctx)
		return errors.Join(err, q.backend.Close(ctx))
	})
}

func (q *core) closeConsumers(ctx context.Context) error {
	q.mu.Lock()
	list := make([]*Consumer, 0, len(q.consumers))
	for c := range q.consumers {
		list = append(list, c)
	}
	q.mu.Unlock()
	errs := make([]error, len(list))
	var wg sync.WaitGroup
	for i, c := range list {
		wg.Go(func() { errs[i] = c.Close(ctx) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// fail wraps err for the caller.
func (q *core) fail(op string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Queue: q.name, Err: err}
}

// bounded returns ctx with the queue's own timeout where it has no deadline.
func (q *core) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, q.opts.OpTimeout)
}

// require reports ErrUnsupported with the names of what the backend lacks.
func (q *core) require(need Capability) error {
	if missing := need &^ q.caps.Can; missing != 0 {
		return fmt.Errorf("%w: %v", ErrUnsupported, missing)
	}
	return nil
}
