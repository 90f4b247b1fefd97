package queuerabbit

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Claim implements queue.Backend: it hands out what has arrived.
func (s *store) Claim(_ context.Context, req queue.ClaimRequest) (queue.Claim, error) {
	leave, err := s.life.Enter()
	if err != nil {
		return queue.Claim{}, err
	}
	defer leave()
	c := queue.Claim{Next: -1}
	for _, r := range req.Done {
		if h := s.intake.settle(r); h != nil {
			h.from.ack(h.d.DeliveryTag)
		} else {
			c.Lost = append(c.Lost, r)
		}
	}
	if req.Max == 0 {
		return c, nil
	}
	s.intake.ask(req.Consumer, req.Max+req.Held)
	return c, s.intake.give(&c, req)
}

// give moves messages from the buffer into c. It reports once why none come.
func (in *intake) give(c *queue.Claim, req queue.ClaimRequest) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if err := in.err; err != nil {
		if !permanent(err) {
			in.err = nil
		}
		return err
	}
	if in.solo != nil {
		if req.Held > 0 || in.out > 0 || req.Slots == 0 {
			c.SoloWaiting = true
			return nil
		}
		c.Messages = append(c.Messages, in.solo.Claimed)
		in.solo = nil
		in.out++
		return nil
	}
	n := min(req.Max, len(in.buffer))
	for _, h := range in.buffer[:n] {
		c.Messages = append(c.Messages, h.Claimed)
	}
	in.buffer = append([]*held(nil), in.buffer[n:]...)
	in.out += n
	return nil
}

// settle takes a message out of those held, nil if it is not.
func (in *intake) settle(r queue.Receipt) *held {
	in.mu.Lock()
	defer in.mu.Unlock()
	h := in.held[r]
	if h != nil {
		delete(in.held, r)
		in.out--
	}
	return h
}

// Wait implements queue.Waiter.
func (s *store) Wait(ctx context.Context, d time.Duration) error {
	in := s.intake
	in.touch()
	in.mu.Lock()
	ready, arrived := len(in.buffer) > 0 || in.solo != nil || in.err != nil, in.arrived
	in.mu.Unlock()
	if ready {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-arrived:
	case <-timer.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	in.touch()
	return nil
}

// touch says that all who wanted messages still do.
func (in *intake) touch() {
	in.mu.Lock()
	now := time.Now()
	nobody := len(in.wanted) == 0
	for consumer, w := range in.wanted {
		w.at = now
		in.wanted[consumer] = w
	}
	in.mu.Unlock()
	if nobody {
		in.ask("", 1)
	}
}

// Extend implements queue.Backend: a message is held as long as its channel.
func (s *store) Extend(_ context.Context, receipts []queue.Receipt, _ time.Duration) ([]error, error) {
	in := s.intake
	in.mu.Lock()
	defer in.mu.Unlock()
	errs := make([]error, len(receipts))
	for i, r := range receipts {
		if in.held[r] == nil {
			errs[i] = queue.ErrLeaseLost
		}
	}
	return errs, nil
}
