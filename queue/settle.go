package queue

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// settle sends the ends of leases other than plain done, in batches, until
// flush takes over.
func (c *Consumer) settle() {
	defer close(c.settled)
	p := backoff.Policy{Base: 50 * time.Millisecond, Max: 2 * time.Second, Jitter: 0.3}
	retry := time.NewTimer(time.Hour)
	defer retry.Stop()
	failures := 0
	for {
		select {
		case <-c.flushing:
			return
		case <-c.settlePoke:
		case <-retry.C:
		}
		more, ok := c.settleBounded()
		switch {
		case !ok:
			retry.Reset(p.Delay(failures))
			failures++
		case more:
			failures = 0
			signal(c.settlePoke)
		}
	}
}

func (c *Consumer) settleBounded() (more, ok bool) {
	ctx, cancel := context.WithTimeout(c.ctx, c.q.opts.OpTimeout)
	defer cancel()
	return c.settleOnce(ctx)
}

// settleOnce sends one batch. It reports whether more is left and whether the
// backend answered.
func (c *Consumer) settleOnce(ctx context.Context) (more, ok bool) {
	batch := c.takeSettling()
	if len(batch) == 0 {
		return false, true
	}
	items := make([]Settlement, len(batch))
	for i, s := range batch {
		items[i] = s.Settlement
	}
	errs, err := c.q.backend.Settle(ctx, items)
	if err != nil {
		c.report("settle", err)
		c.settleAgain(batch)
		return true, false
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		if errors.Is(err, ErrLeaseLost) {
			c.q.opts.Hooks.leaseLost(batch[i].d)
		}
		c.report("settle "+batch[i].ID.String(), err)
	}
	signal(c.poke)
	return c.pending(), true
}

func (c *Consumer) takeSettling() []settling {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.settling), MaxBatch)
	batch := c.settling[:n:n]
	c.settling = append([]settling(nil), c.settling[n:]...)
	return batch
}

// settleAgain puts back what may still be ours.
func (c *Consumer) settleAgain(batch []settling) {
	now := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := make([]settling, 0, len(batch)+len(c.settling))
	timed := c.q.caps.Can.Has(CanLease)
	for _, s := range batch {
		if !timed || now.Before(s.d.run.leaseEnd) {
			kept = append(kept, s)
		}
	}
	c.settling = append(kept, c.settling...)
}
