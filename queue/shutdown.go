package queue

import (
	"context"
	"time"
)

// What Close keeps back of its time: reserve to give messages back after the
// handlers' ctx ended, closeGrace for those that have just seen it end.
const (
	closeGrace = 50 * time.Millisecond
	maxReserve = 500 * time.Millisecond
)

// shutdown ends the Consumer within ctx. It runs once.
func (c *Consumer) shutdown(ctx context.Context) {
	began := time.Now()
	c.stop()
	reserve := maxReserve
	grace := c.opts.ShutdownGrace
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		reserve = min(reserve, left/4)
		grace = min(grace, left-2*reserve)
	}
	await(ctx, c.drained, max(reserve, grace)) // its last claim must not pass those held
	c.giveBack(c.takeBuffer())
	c.awaitQuiet(ctx, grace-time.Since(began))
	c.cancelBase(ErrShutdown)
	c.awaitQuiet(ctx, reserve)
	c.abandonAll()
	c.flush(ctx)
	c.end()
}

// stop keeps workers from taking further messages, and fetch from claiming.
func (c *Consumer) stop() {
	c.mu.Lock()
	c.stopping = true
	c.arrived.Broadcast()
	c.mu.Unlock()
	c.cancelIdle()
	signal(c.poke)
}

// awaitQuiet waits until no handler runs, for d at the most.
func (c *Consumer) awaitQuiet(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for c.isActive() {
		select {
		case <-c.quiet:
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// await waits for the end of a loop, for d at the most.
func await(ctx context.Context, ended <-chan struct{}, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (c *Consumer) isActive() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.active > 0
}

// abandonAll gives back the messages of handlers that ignore their ctx.
func (c *Consumer) abandonAll() {
	c.mu.Lock()
	var stuck []*Delivery
	for _, d := range c.running {
		if d != nil && d.run.abandon() {
			stuck = append(stuck, d)
		}
	}
	c.mu.Unlock()
	for _, d := range stuck {
		c.report("run "+d.ID.String(), ErrHandlerStuck)
	}
	c.giveBack(stuck)
}

// flush waits for fetch, which may have brought a last batch, and for settle, and
// sends what is still to be settled.
func (c *Consumer) flush(ctx context.Context) {
	close(c.flushing)
	await(ctx, c.drained, maxReserve)
	await(ctx, c.settled, maxReserve)
	c.giveBack(c.takeBuffer())
	for c.pending() && ctx.Err() == nil {
		c.acknowledge(ctx)
		c.settleOnce(ctx)
	}
}

func (c *Consumer) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.finished)+len(c.settling) > 0
}

// end stops the remaining goroutines and forgets the Consumer.
func (c *Consumer) end() {
	c.parentEnd()
	c.cancel()
	c.keepers.Wait()
	c.q.mu.Lock()
	delete(c.q.consumers, c)
	c.q.mu.Unlock()
	close(c.ended)
}
