package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Consumer runs the handler of one Consume call. All methods are safe for
// concurrent use.
//
// Its goroutines: fetch claims messages and acknowledges finished ones, keep
// renews leases and watches over handlers, settle sends what is neither, and
// Concurrency workers run the handler. The queue's lifecycle owns all of them.
type Consumer struct {
	q       *core
	opts    ConsumeOptions
	handler Handler

	base       context.Context // parent of every handler's ctx
	cancelBase context.CancelCauseFunc
	ctx        context.Context // of the requests of its goroutines
	cancel     context.CancelFunc
	idle       context.Context // of Wait, which ends first
	cancelIdle context.CancelFunc

	mu       sync.Mutex
	arrived  sync.Cond // buffer, stopping or a solo message changed
	buffer   []*Delivery
	running  []*Delivery // by worker
	active   int         // of running that are not nil
	solo     *Delivery   // held, and nothing may run beside it
	finished []*Delivery // done, to be acknowledged
	settling []settling
	low      int           // fetch is poked when the buffer falls to this
	pace     time.Duration // mean time of a run
	progress time.Time     // when a worker last took a message
	stopping bool

	poke       chan struct{} // to fetch
	settlePoke chan struct{} // to settle
	quiet      chan struct{} // to Close: nothing runs
	pace1      bucket        // node rate limit; of fetch, under mu

	closing   sync.Once
	drained   chan struct{} // fetch has ended
	flushing  chan struct{} // settle must end
	settled   chan struct{} // settle has ended
	ended     chan struct{}
	err       error
	workers   sync.WaitGroup
	keepers   sync.WaitGroup
	parentEnd func() bool
}

// settling is a lease that ends otherwise than by done.
type settling struct {
	Settlement
	d *Delivery
}

func newConsumer(ctx context.Context, q *core, h Handler, opts ConsumeOptions) *Consumer {
	c := &Consumer{
		q:          q,
		opts:       opts,
		handler:    h,
		running:    make([]*Delivery, opts.Concurrency),
		poke:       make(chan struct{}, 1),
		settlePoke: make(chan struct{}, 1),
		quiet:      make(chan struct{}, 1),
		drained:    make(chan struct{}),
		flushing:   make(chan struct{}),
		settled:    make(chan struct{}),
		ended:      make(chan struct{}),
		pace1:      newBucket(opts.RateLimit),
	}
	c.arrived.L = &c.mu
	c.base, c.cancelBase = context.WithCancelCause(context.WithoutCancel(ctx))
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.idle, c.cancelIdle = context.WithCancel(c.ctx)
	return c
}

func (c *Consumer) start(ctx context.Context) {
	for slot := range c.running {
		c.startWorker(slot, nil, Settlement{}, 0)
	}
	for name, loop := range map[string]func(){"fetch": c.fetch, "settle": c.settle, "keep": c.keep} {
		c.keepers.Add(1)
		c.q.life.Go(name, func(context.Context) { defer c.keepers.Done(); loop() })
	}
	c.parentEnd = context.AfterFunc(ctx, func() {
		c.fail(context.Cause(ctx))
		closeCtx, cancel := context.WithTimeout(context.Background(), c.opts.ShutdownGrace+c.q.opts.OpTimeout)
		defer cancel()
		_ = c.Close(closeCtx) // what went wrong was reported to OnError
	})
}

// Wait blocks until the Consumer has ended and says why: nil after Close, the
// cause of the ctx given to Consume, or the backend's error that ended it.
func (c *Consumer) Wait() error {
	<-c.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Wake makes the Consumer ask Accepting, and the queue, at once.
func (c *Consumer) Wake() { signal(c.poke) }

// Close stops claiming, gives back what did not start, lets handlers finish for
// ShutdownGrace, then ends their ctx with [ErrShutdown]. The message of a handler
// that goes on nevertheless goes back, and the handler is reported to OnError.
// Close returns when ctx ends, with its error; a second call waits for the first.
func (c *Consumer) Close(ctx context.Context) error {
	c.closing.Do(func() {
		if !c.q.life.Go("shutdown", func(context.Context) { c.shutdown(ctx) }) {
			go c.shutdown(ctx) // the queue itself closes, and waits for the Consumer
		}
	})
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
	}
	late := time.NewTimer(closeGrace)
	defer late.Stop()
	select {
	case <-c.ended:
		return nil
	case <-late.C:
		return c.q.fail("close", fmt.Errorf("%w while handlers still run", context.Cause(ctx)))
	}
}

// fail keeps the first reason for the end.
func (c *Consumer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// report hands err to whoever looks after the Consumer.
func (c *Consumer) report(op string, err error) {
	if err != nil && !errors.Is(err, ErrClosed) {
		c.opts.OnError(c.q.fail(op, err))
	}
}

// signal leaves a note in a channel of size 1.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
