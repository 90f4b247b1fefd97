package queue

import (
	"container/list"
	"context"
	"time"
)

// Claim implements Backend.
func (s *MemoryStore) Claim(ctx context.Context, req ClaimRequest) (Claim, error) {
	if ctx.Err() != nil {
		return Claim{}, context.Cause(ctx)
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var got Claim
	for _, receipt := range req.Done {
		if !s.ack(receipt, now) {
			got.Lost = append(got.Lost, receipt)
		}
	}
	s.sweep(now)
	s.consumers[req.Consumer] = now
	got.Paused = now.Before(s.paused)
	if !got.Paused {
		s.lease(&req, &got, now)
	}
	got.Next = s.next(&req, &got, now)
	return got, nil
}

// ack finishes one message; one that was cancelled meanwhile counts as cancelled.
func (s *MemoryStore) ack(receipt Receipt, now time.Time) bool {
	r := s.find(receipt)
	switch {
	case r == nil:
		return false
	case r.cancelled:
		s.leave(r)
		s.end(r, &s.accounts.Cancelled, now)
		return false
	}
	s.done(r, nil, now)
	return true
}

// lease takes messages for req, up to its limits.
func (s *MemoryStore) lease(req *ClaimRequest, got *Claim, now time.Time) {
	limit := req.Max
	if req.MaxInFlight > 0 {
		limit = min(limit, req.MaxInFlight-s.leased.Len())
	}
	tokens := s.bucket(req.Rate)
	limit, _ = tokens.limit(max(limit, 0), now)
	if limit > 0 && s.solo.Len() > 0 {
		if req.Held > 0 {
			got.SoloWaiting = true
			return
		}
		limit = 1
		s.leaseFrom(&s.solo, limit, req, got, now)
	}
	for i := range s.ready {
		if len(got.Messages) > 0 && got.Messages[0].Solo {
			break
		}
		s.leaseFrom(&s.ready[i], limit, req, got, now)
	}
	tokens.take(len(got.Messages))
}

// bucket returns the tokens of a rate, which those that set none do not touch. The
// caller holds mu.
func (s *MemoryStore) bucket(r Rate) *bucket {
	if r == (Rate{}) {
		return &bucket{}
	}
	if r != s.rate {
		s.rate, s.tokens = r, newBucket(r)
	}
	return &s.tokens
}

// leaseFrom leases from one list until limit is reached.
func (s *MemoryStore) leaseFrom(from *list.List, limit int, req *ClaimRequest, got *Claim, now time.Time) {
	for len(got.Messages) < limit {
		first := from.Front()
		if first == nil {
			return
		}
		r, _ := first.Value.(*record)
		if r.losses == 1 && len(got.Messages) >= req.Slots {
			return
		}
		s.leave(r)
		if !r.deadline.IsZero() && !now.Before(r.deadline) {
			s.expire(r, now)
			continue
		}
		if r.Unique.Until == UntilStart {
			s.freeUnique(r)
		}
		r.state, r.due, r.receipt = StateInFlight, now.Add(req.Lease), s.newReceipt(r.ID)
		s.leased.add(r)
		got.Messages = append(got.Messages, Claimed{
			Envelope:   r.Envelope,
			Receipt:    r.receipt,
			Attempt:    r.failures + 1,
			EnqueuedAt: r.enqueued,
			Solo:       r.losses >= suspectLosses,
		})
	}
}

func (s *MemoryStore) expire(r *record, now time.Time) {
	if s.opts.ExpiredToDead {
		s.die(r, "expired", now)
		return
	}
	s.end(r, &s.accounts.Expired, now)
}

// next says when another claim may succeed, and passes the signal on if somebody
// else could claim now.
func (s *MemoryStore) next(req *ClaimRequest, got *Claim, now time.Time) time.Duration {
	next := time.Duration(-1)
	at := func(t time.Time) {
		if d := max(t.Sub(now), 0); next < 0 || d < next {
			next = d
		}
	}
	if got.Paused {
		at(s.paused)
		return next
	}
	if r := s.delayed.first(); r != nil {
		at(r.due)
	}
	if r := s.leased.first(); r != nil {
		at(r.due)
	}
	full := len(got.Messages) == req.Max
	if full && next >= 0 && next < idleWait {
		signal(s.wake) // this caller may not be back in time
	}
	if s.readyTotal() == 0 {
		return next
	}
	if n, wait := s.bucket(req.Rate).limit(1, now); n == 0 {
		at(now.Add(wait))
		return next
	}
	if req.MaxInFlight == 0 || s.leased.Len() < req.MaxInFlight {
		signal(s.wake)
	}
	return next
}

// Extend implements Backend.
func (s *MemoryStore) Extend(ctx context.Context, receipts []Receipt, d time.Duration) ([]error, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	errs := make([]error, len(receipts))
	for i, receipt := range receipts {
		r := s.find(receipt)
		if r == nil || r.cancelled {
			errs[i] = ErrLeaseLost
			continue
		}
		s.leased.remove(r)
		r.due = now.Add(d)
		s.leased.add(r)
	}
	s.signal(now)
	return errs, nil
}
