package queue

import (
	"context"
	"time"
)

// hold books claimed messages and wakes workers.
func (c *Consumer) hold(messages []Claimed, sent time.Time) {
	if len(messages) == 0 {
		return
	}
	end := sent.Add(c.opts.Lease)
	deliveries := make([]Delivery, len(messages))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.buffer = compact(c.buffer); cap(c.buffer)-len(c.buffer) < len(messages) {
		c.buffer = append(make([]*Delivery, 0, 2*(len(c.buffer)+len(messages))), c.buffer...)
	}
	for i := range messages {
		d := &deliveries[i]
		d.fill(c.q, &messages[i])
		d.run.leaseEnd = end
		if d.solo {
			c.solo = d
		}
		c.buffer = append(c.buffer, d)
	}
	c.pace1.take(len(messages))
	c.progress = time.Now()
	c.arrived.Broadcast()
}

// compact moves a nearly used-up buffer to the start of a fresh array, so that
// the array does not grow for ever.
func compact(buffer []*Delivery) []*Delivery {
	if len(buffer) == 0 {
		return nil
	}
	return buffer
}

// takeBuffer empties the buffer.
func (c *Consumer) takeBuffer() []*Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	held := c.buffer
	c.buffer, c.solo = nil, nil
	for _, d := range c.running {
		if d != nil && d.solo {
			c.solo = d
		}
	}
	return held
}

// giveBack releases messages that did not start, in their order.
func (c *Consumer) giveBack(list []*Delivery) {
	if len(list) == 0 {
		return
	}
	c.mu.Lock()
	for _, d := range list {
		c.settling = append(c.settling, settling{Settlement{Receipt: d.receipt, ID: d.ID, Verb: VerbRelease}, d})
	}
	c.pace1.take(-len(list))
	c.mu.Unlock()
	signal(c.settlePoke)
}

func (c *Consumer) takeFinished() []*Delivery {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(c.finished), MaxBatch)
	list := c.finished[:n:n]
	c.finished = append([]*Delivery(nil), c.finished[n:]...)
	return list
}

// acknowledge sends finished messages without claiming more.
func (c *Consumer) acknowledge(ctx context.Context) {
	acked := c.takeFinished()
	if len(acked) == 0 {
		return
	}
	got, err := c.q.backend.Claim(ctx, ClaimRequest{
		Consumer: c.opts.Name, Lease: c.opts.Lease, Done: receipts(acked),
		MaxInFlight: c.opts.MaxInFlight, Rate: c.opts.ClusterRate,
	})
	if err != nil {
		c.report("settle", err)
		return
	}
	c.reportLost(got.Lost, acked)
}

// reportLost tells about finished messages that were no longer ours: they may
// run again.
func (c *Consumer) reportLost(lost []Receipt, acked []*Delivery) {
	if len(lost) == 0 {
		return
	}
	gone := make(map[Receipt]bool, len(lost))
	for _, r := range lost {
		gone[r] = true
	}
	for _, d := range acked {
		if gone[d.receipt] {
			c.q.opts.Hooks.leaseLost(d)
			c.report("settle "+d.ID.String(), ErrLeaseLost)
		}
	}
}
