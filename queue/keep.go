package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stuckAfter is how long a handler may go on after its ctx ended.
const stuckAfter = time.Second

// keep renews the leases of held and running messages, ends the ctx of those
// that are lost, and gives up handlers that ignore their timeout.
func (c *Consumer) keep() {
	tick := time.NewTicker(min(c.opts.Lease/6, time.Second))
	defer tick.Stop()
	var losses <-chan struct{}
	if n, ok := c.q.backend.(Notifier); ok {
		losses = n.Losses()
	}
	timed := c.q.caps.Can.Has(CanLease)
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-losses:
			c.extend(c.heldBefore(time.Time{}))
		case now := <-tick.C:
			if timed {
				c.extend(c.heldBefore(now.Add(c.opts.Lease * 2 / 3)))
				c.dropLapsed(time.Now())
			}
			c.dropStuck(now)
			c.dropStale(now)
		}
	}
}

// heldBefore returns the held messages whose lease ends before t; the zero t
// means all of them.
func (c *Consumer) heldBefore(t time.Time) []*Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*Delivery
	for d := range c.held {
		if t.IsZero() || d.run.leaseEnd.Before(t) {
			list = append(list, d)
		}
	}
	return list
}

// held yields what runs and what is buffered. The caller holds mu.
func (c *Consumer) held(yield func(*Delivery) bool) {
	for _, list := range [][]*Delivery{c.running, c.buffer} {
		for _, d := range list {
			if d != nil && !d.run.isGone() && !yield(d) {
				return
			}
		}
	}
}

func (c *Consumer) extend(list []*Delivery) {
	for len(list) > 0 {
		n := min(len(list), MaxBatch)
		c.extendBatch(list[:n])
		list = list[n:]
	}
}

func (c *Consumer) extendBatch(list []*Delivery) {
	sent := time.Now()
	ctx, cancel := context.WithTimeout(c.ctx, min(c.opts.Lease/3, c.q.opts.OpTimeout))
	defer cancel()
	errs, err := c.q.backend.Extend(ctx, receipts(list), c.opts.Lease)
	if err != nil {
		if c.ctx.Err() == nil {
			c.report("extend", err)
		}
		return
	}
	c.mu.Lock()
	for i, d := range list {
		if errs == nil || errs[i] == nil {
			d.run.leaseEnd = sent.Add(c.opts.Lease)
		}
	}
	c.mu.Unlock()
	for i, err := range errs {
		switch {
		case err == nil || !c.stillHeld(list[i]):
		case errors.Is(err, ErrLeaseLost):
			c.lose(list[i])
		default: // it is ours for as long as it was
			c.report("extend "+list[i].ID.String(), err)
		}
	}
}

// stillHeld tells a lost lease from one that its worker ended meanwhile.
func (c *Consumer) stillHeld(d *Delivery) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for other := range c.held {
		if other == d {
			return true
		}
	}
	return false
}

func (c *Consumer) lose(d *Delivery) {
	if d.run.lose(ErrLeaseLost) {
		c.q.opts.Hooks.leaseLost(d)
		c.report("hold "+d.ID.String(), ErrLeaseLost)
	}
}

// dropLapsed gives up leases by the clock, before another can be granted them:
// their time counts from before the request that was last answered.
func (c *Consumer) dropLapsed(now time.Time) {
	margin := c.opts.Lease / 10
	for _, d := range c.heldBefore(now.Add(margin)) {
		c.lose(d)
	}
}

// dropStuck lets messages go on whose handlers ignore their timeout.
func (c *Consumer) dropStuck(now time.Time) {
	c.mu.Lock()
	var stuck []*Delivery
	for _, d := range c.running {
		if d != nil && d.run.overdue(now, stuckAfter) && d.run.abandon() {
			stuck = append(stuck, d)
		}
	}
	for _, d := range stuck {
		s := d.settlement(fmt.Errorf("%w: %w", ErrTimeout, ErrHandlerStuck), c.opts.Backoff)
		c.settling = append(c.settling, settling{s, d})
	}
	c.mu.Unlock()
	for _, d := range stuck {
		c.report("run "+d.ID.String(), ErrHandlerStuck)
		signal(c.settlePoke)
	}
}

// dropStale gives back what was held for handlers that turned slow, so that
// other nodes can have it.
func (c *Consumer) dropStale(now time.Time) {
	c.mu.Lock()
	stale := len(c.buffer) > 0 && c.active > 0 && c.solo == nil && now.Sub(c.progress) > staleAfter
	if stale {
		c.pace = max(c.pace, now.Sub(c.progress))
	}
	c.mu.Unlock()
	if stale {
		c.giveBack(c.takeBuffer())
	}
}
