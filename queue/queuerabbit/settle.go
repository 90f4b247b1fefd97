package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Settle implements queue.Backend. What goes on as a copy is acknowledged once the
// copy is stored.
func (s *store) Settle(ctx context.Context, batch []queue.Settlement) ([]error, error) {
	leave, err := s.life.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	errs := make([]error, len(batch))
	var copies []*outgoing
	var at []int
	released := map[*channel][]*held{}
	for i := range batch {
		o, err := s.end(&batch[i], released)
		errs[i] = err
		if o != nil {
			copies, at = append(copies, o), append(at, i)
		}
	}
	for c, list := range released {
		if err := within(ctx, c.session, func() error { return c.withdraw(list) }); err != nil {
			s.log.Warn("messages are given back with their channel", "error", err)
		}
	}
	if len(copies) == 0 {
		return errs, nil
	}
	var failed error
	for i, err := range s.send(ctx, copies) {
		r := batch[at[i]].Receipt
		if err != nil {
			failed = err
			continue
		}
		if h := s.intake.settle(r); h != nil {
			h.from.ack(h.d.DeliveryTag)
		}
	}
	if failed != nil {
		s.intake.remember(batch, errs) // the call comes again, for all of them
		return nil, fmt.Errorf("publish the next attempt: %w", failed)
	}
	return errs, nil
}

// end settles what needs no copy, and returns the copy otherwise.
func (s *store) end(one *queue.Settlement, released map[*channel][]*held) (*outgoing, error) {
	in := s.intake
	h, before := in.find(one.Receipt)
	if h == nil {
		if before {
			return nil, nil //nolint:nilnil // done in an earlier call that failed as a whole
		}
		return nil, queue.ErrLeaseLost
	}
	switch one.Verb {
	case queue.VerbDone, queue.VerbDiscard:
		in.settle(one.Receipt)
		h.from.ack(h.d.DeliveryTag)
		return nil, nil //nolint:nilnil // nothing to publish
	case queue.VerbRelease:
		if !h.Solo {
			in.settle(one.Receipt)
			released[h.from] = append(released[h.from], h)
			return nil, nil //nolint:nilnil // it goes back together with what is not claimed
		}
		// a copy, because the broker would count this as a loss
		return s.copyOf(h, s.names.solo, h.Attempt-1, ""), nil
	case queue.VerbRetry:
		if !s.delays() {
			s.intake.later(h, one.Delay, 1)
			return nil, nil //nolint:nilnil // it waits here
		}
		return s.again(h, one.Delay, h.Attempt, one.Reason), nil
	case queue.VerbSnooze:
		if !s.delays() {
			s.intake.later(h, one.Delay, 0)
			return nil, nil //nolint:nilnil // it waits here
		}
		return s.again(h, one.Delay, h.Attempt-1, ""), nil
	case queue.VerbDead:
		o := s.copyOf(h, s.names.dead, h.Attempt, one.Reason)
		o.message.Headers[headDied] = time.Now().UnixMilli()
		return o, nil
	}
	return nil, fmt.Errorf("%w: verb %d", queue.ErrInvalid, one.Verb)
}

// copyOf is a message for the queue named to, with its failures counted.
func (s *store) copyOf(h *held, to string, failures int, reason string) *outgoing {
	o := &outgoing{key: to, message: copied(&h.d)}
	o.message.Headers[headFailures] = int32(failures)
	if o.message.MessageId == "" { // of another program
		o.message.MessageId = h.ID.String()
	}
	if reason != "" {
		o.message.Headers[headReason] = reason
	}
	return o
}

func (s *store) again(h *held, delay time.Duration, failures int, reason string) *outgoing {
	o := s.copyOf(h, "", failures, reason)
	s.address(o, delay)
	return o
}

// find returns a message that is held, and whether it was settled in a call that failed.
func (in *intake) find(r queue.Receipt) (h *held, before bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.held[r], in.finished[r]
}

// remember notes what a call settled that failed as a whole.
func (in *intake) remember(batch []queue.Settlement, errs []error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, one := range batch {
		if errs[i] == nil && in.held[one.Receipt] == nil {
			in.finished[one.Receipt] = true
		}
	}
}

// later keeps a message here and offers it again after d, with more failures.
func (in *intake) later(h *held, d time.Duration, failures int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.held, h.Receipt)
	in.out--
	next := *h
	next.Attempt += failures
	in.serial++
	next.Receipt = queue.Receipt(fmt.Sprint("w", in.serial))
	in.held[next.Receipt] = &next
	time.AfterFunc(d, func() {
		in.mu.Lock()
		defer in.mu.Unlock()
		if in.held[next.Receipt] != nil {
			in.insert(&next)
			in.wake()
		}
	})
}

// aside moves a delivery to another queue, beside all else.
func (s *store) aside(h *held, to, reason string) {
	o := s.copyOf(h, to, h.Attempt-1, reason)
	if to == s.names.dead {
		o.message.Headers[headDied] = time.Now().UnixMilli()
	}
	s.move(h, o)
}

// walkOn sends a delivery up the ladder again, whose delay was too long for one walk.
func (s *store) walkOn(h *held) {
	rest := time.Duration(number(h.d.Headers, headRest)) * time.Millisecond
	s.move(h, s.again(h, rest, h.Attempt-1, ""))
}

// move publishes o in place of h. If it cannot, h stays until its channel ends.
func (s *store) move(h *held, o *outgoing) {
	s.life.Go("move a message", func(ctx context.Context) {
		for ctx.Err() == nil {
			bounded, cancel := context.WithTimeout(ctx, s.opts.OpTimeout)
			err := errors.Join(s.send(bounded, []*outgoing{o.again()})...)
			cancel()
			if err == nil {
				h.from.ack(h.d.DeliveryTag)
				return
			}
			select {
			case <-h.from.ended:
				return
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
		}
	})
}
