package queue

import (
	"context"
	"slices"
	"time"
)

// Settle implements Backend. Messages that are released go back to the head
// last and in reverse, so that they stand there in their order.
func (s *MemoryStore) Settle(ctx context.Context, batch []Settlement) ([]error, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(batch))
	var released []*record
	for i := range batch {
		r := s.find(batch[i].Receipt)
		switch {
		case r == nil:
			errs[i] = ErrLeaseLost
		case r.cancelled:
			errs[i] = ErrLeaseLost
			s.leave(r)
			s.end(r, &s.accounts.Cancelled, now)
		case batch[i].Verb == VerbRelease:
			s.leave(r)
			released = append(released, r)
		default:
			s.settleOne(r, &batch[i], now)
		}
	}
	for _, r := range slices.Backward(released) {
		s.enter(r, true)
	}
	s.tokens.take(-len(released))
	s.signal(now)
	return errs, nil
}

func (s *MemoryStore) settleOne(r *record, end *Settlement, now time.Time) {
	if end.Verb == VerbDone {
		s.done(r, end.Result, now)
		return
	}
	s.leave(r)
	if end.Verb != VerbSnooze {
		r.failures++
		r.lastError = end.Reason
	}
	r.losses = 0 // it came back by itself: it does not kill its worker
	switch end.Verb {
	case VerbRetry:
		s.accounts.Retried++
		s.again(r, end.Delay, now)
	case VerbSnooze:
		s.again(r, end.Delay, now)
	case VerbDiscard:
		s.end(r, &s.accounts.Discarded, now)
	case VerbDead:
		s.die(r, end.Reason, now)
	case VerbDone, VerbRelease: // handled by the callers
	}
}

func (s *MemoryStore) again(r *record, delay time.Duration, now time.Time) {
	if delay <= 0 {
		s.enter(r, false)
		return
	}
	s.delay(r, now.Add(delay))
	if s.delayed.first() == r && delay < idleWait {
		signal(s.wake)
	}
}

// SetProgress implements RecordBackend.
func (s *MemoryStore) SetProgress(ctx context.Context, receipt Receipt, progress []byte) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(receipt)
	if r == nil || r.cancelled {
		return ErrLeaseLost
	}
	r.progress = append([]byte(nil), progress...)
	return nil
}
