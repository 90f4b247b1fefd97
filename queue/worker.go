package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// work is one worker: it ends one message and takes the next in one step.
func (c *Consumer) work(slot int, last *Delivery, s Settlement, took time.Duration) {
	for {
		d, began := c.turn(slot, last, s, took)
		if d == nil {
			return
		}
		s, took = c.execute(slot, d, began)
		last = d
	}
}

// startWorker starts a worker that has just ended last, or nothing. It reports
// false if the queue is closed.
func (c *Consumer) startWorker(slot int, last *Delivery, s Settlement, took time.Duration) bool {
	c.workers.Add(1)
	started := c.q.life.Go("worker", func(context.Context) {
		defer c.workers.Done()
		c.work(slot, last, s, took)
	})
	if !started {
		c.workers.Done()
	}
	return started
}

// exited ends a run whose handler called runtime.Goexit, which takes its worker
// along: that is a failure, and another worker takes the place.
func (c *Consumer) exited(slot int, d *Delivery, took time.Duration) {
	err := fmt.Errorf("%w: it called runtime.Goexit", ErrHandlerPanic)
	s := d.settlement(err, c.opts.Backoff)
	c.report("run "+d.ID.String(), err)
	c.q.opts.Hooks.finished(c.base, d, s.Verb, err, took)
	if !c.startWorker(slot, d, s, took) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.book(slot, d, s, took)
	}
}

// execute runs the handler and says how the message goes on.
func (c *Consumer) execute(slot int, d *Delivery, began time.Time) (Settlement, time.Duration) {
	timeout := or(d.Timeout, c.opts.Timeout)
	ctx := d.run.begin(c.base, began, timeout)
	defer d.run.end()
	c.q.opts.Hooks.started(ctx, d)

	returned := false
	defer func() {
		if !returned {
			c.exited(slot, d, time.Since(began))
		}
	}()
	err := call(ctx, c.handler, d)
	returned = true
	took := time.Since(began)

	var cause error
	if err != nil {
		cause = context.Cause(ctx)
	}
	if errors.Is(cause, ErrTimeout) {
		err = fmt.Errorf("%w after %v: %w", ErrTimeout, timeout, err)
	}
	s := d.settlement(err, c.opts.Backoff)
	if s.Verb == VerbRetry && errors.Is(cause, ErrShutdown) {
		s = Settlement{Receipt: d.receipt, ID: d.ID, Verb: VerbRelease}
	}
	if errors.Is(err, ErrHandlerPanic) || errors.Is(err, ErrUnknownKind) {
		c.report("run "+d.ID.String(), err)
	}
	c.q.opts.Hooks.finished(ctx, d, s.Verb, err, took)
	return s, took
}

// turn books the end of the worker's last message and waits for its next, which
// begins at the time that is returned; nil means that the Consumer stops.
func (c *Consumer) turn(slot int, last *Delivery, s Settlement, took time.Duration) (*Delivery, time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last != nil {
		c.book(slot, last, s, took)
	}
	for !c.stopping {
		if d := c.next(); d != nil {
			c.running[slot] = d
			c.active++
			c.progress = time.Now()
			if len(c.buffer) <= c.low {
				signal(c.poke)
			}
			return d, c.progress
		}
		c.arrived.Wait()
	}
	return nil, time.Time{}
}

// book ends a run. The caller holds mu.
func (c *Consumer) book(slot int, d *Delivery, s Settlement, took time.Duration) {
	c.running[slot] = nil
	c.active--
	c.pace = max(c.pace+(took-c.pace)/8, 1) // 0 means that nothing ran yet
	if c.active == 0 {
		signal(c.quiet)
	}
	if c.solo == d {
		c.solo = nil
	}
	if c.solo != nil || c.stopping {
		c.arrived.Broadcast()
	}
	if d.run.isGone() {
		signal(c.poke)
		return
	}
	if s.Verb == VerbDone && s.Result == nil {
		c.finished = append(c.finished, d)
		if n := len(c.finished); n == 1 || n >= MaxBatch/2 || len(c.buffer) == 0 {
			signal(c.poke)
		}
		return
	}
	c.settling = append(c.settling, settling{s, d})
	signal(c.settlePoke)
}

// next takes the first held message that may start. The caller holds mu.
func (c *Consumer) next() *Delivery {
	for len(c.buffer) > 0 {
		d := c.buffer[0]
		if c.solo != nil && (c.solo != d || c.active > 0) {
			return nil
		}
		c.buffer[0] = nil
		c.buffer = c.buffer[1:]
		if !d.run.isGone() {
			return d
		}
		if c.solo == d {
			c.solo = nil
		}
	}
	return nil
}
