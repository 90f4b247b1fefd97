package snowflake

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	"github.com/cohort-go/cohort/workerid"
)

// A Generator makes IDs as one worker. All methods are safe for concurrent use.
//
// It keeps four promises, whatever the wall clock does: an ID is made once; the
// IDs that one caller gets ascend; the time in an ID is not earlier than the
// process clock by more than a tick and 5 ms; and it is not later by more than
// MaxAhead, except for a while after the number was taken over from a holder
// whose clock was ahead.
type Generator struct {
	bound atomic.Pointer[binding]
	opts  Options

	mu      sync.Mutex
	closed  bool
	changed chan struct{} // closed and replaced when bound changes or by Close
	ticker  ticker

	waiting, waits, rebinds atomic.Int64
}

// New returns a Generator that makes IDs as worker. It fails for a Layout or
// MaxAhead that is invalid or that the worker number was not leased for, and for
// a number that has ended or does not fit the Layout; all problems are joined.
//
// Generators of one worker with the same ticks and sequence bits share its cursor
// and never repeat each other. The Generator starts no goroutine; it does not
// release the worker number.
func New(worker workerid.Worker, opts Options) (*Generator, error) {
	if worker == nil {
		return nil, errors.New("snowflake: new: worker is nil")
	}
	opts, err := opts.withDefaults(worker)
	if err == nil {
		err = opts.check(worker)
	}
	if err != nil {
		return nil, &OpError{Op: "new", Worker: worker.ID(), Err: err}
	}
	g := &Generator{opts: opts, changed: make(chan struct{})}
	g.bound.Store(newBinding(worker, opts, 0))
	return g, nil
}

// Next returns the next ID. If there is none it waits, for as long as ctx allows:
// for the next tick when this one is used up, and for the renewal of a lease that
// was not renewed in time; then the error is an [*ExhaustedError] or
// [workerid.ErrUnavailable], and the cause of ctx. A ctx that has ended does not
// fail a call that need not wait. Other errors are [workerid.ErrLost],
// [workerid.ErrReleased], [ErrOverflow] and [ErrClosed].
func (g *Generator) Next(ctx context.Context) (ID, error) {
	b := g.bound.Load()
	if n, ok := b.take(); ok {
		if n%glanceEvery == 0 {
			g.glance()
		}
		return b.id(n), nil
	}
	return g.next(ctx)
}

// next is Next for when the ceiling is reached.
func (g *Generator) next(ctx context.Context) (ID, error) {
	for {
		id, h := g.try()
		if h.err == nil {
			return id, nil
		}
		if err := g.await(ctx, h); err != nil {
			return 0, g.fail("next", err)
		}
	}
}

// TryNext is Next without waiting: it reports [*ExhaustedError], which says how
// long Next would wait, and [workerid.ErrUnavailable] at once.
func (g *Generator) TryNext() (ID, error) {
	b := g.bound.Load()
	if n, ok := b.take(); ok {
		if n%glanceEvery == 0 {
			g.glance()
		}
		return b.id(n), nil
	}
	id, h := g.try()
	if h.err != nil {
		return 0, g.fail("try next", h.err)
	}
	return id, nil
}

// try takes one ID after a look at the clock.
func (g *Generator) try() (ID, hold) {
	for {
		g.mu.Lock()
		b, h := g.bound.Load(), g.survey()
		g.mu.Unlock()
		if h.err != nil {
			return 0, h
		}
		if n, ok := b.take(); ok {
			return b.id(n), hold{}
		}
	}
}

// All returns an endless sequence of Next. It ends after the first error.
func (g *Generator) All(ctx context.Context) iter.Seq2[ID, error] {
	return func(yield func(ID, error) bool) {
		for {
			id, err := g.Next(ctx)
			if !yield(id, err) || err != nil {
				return
			}
		}
	}
}

// Close makes every later call, and every call that waits, fail with [ErrClosed].
// It neither waits nor ends the worker number, which others may use.
func (g *Generator) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	g.closed = true
	g.bound.Load().ceiling.Store(0)
	g.ticker.stop()
	close(g.changed)
}

func (g *Generator) fail(op string, err error) error {
	return &OpError{Op: op, Worker: g.bound.Load().worker.ID(), Err: err}
}
