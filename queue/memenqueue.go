package queue

import (
	"bytes"
	"context"
	"maps"
	"time"
)

// Enqueue implements Backend.
func (s *MemoryStore) Enqueue(ctx context.Context, batch []Envelope) ([]error, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for i := range batch {
		if err := s.insert(&batch[i], now); err != nil {
			if errs == nil {
				errs = make([]error, len(batch))
			}
			errs[i] = err
		}
	}
	s.signal(now)
	return errs, nil
}

// insert stores one message. The caller holds mu.
func (s *MemoryStore) insert(e *Envelope, now time.Time) error {
	if until, ok := s.remembered[e.ID]; s.records[e.ID] != nil || ok && now.Before(until) {
		return &DuplicateError{Existing: e.ID}
	}
	if s.opts.MaxLen > 0 && len(s.records) >= s.opts.MaxLen {
		return ErrQueueFull
	}
	r := &record{Envelope: *e, enqueued: now}
	r.Payload, r.Header = bytes.Clone(e.Payload), maps.Clone(e.Header)
	if id, ok := s.holdUnique(r, now); !ok {
		return &DuplicateError{Existing: id}
	}
	r.deadline = e.Deadline
	if e.TTL > 0 {
		r.deadline = now.Add(e.TTL)
	}
	s.records[e.ID] = r
	s.accounts.Enqueued++
	due := e.At
	if e.Delay > 0 {
		due = now.Add(e.Delay)
	}
	if now.Before(due) {
		s.delay(r, due)
		if s.delayed.first() == r && due.Sub(now) < idleWait {
			signal(s.wake) // those who wait would wait too long
		}
		return nil
	}
	s.enter(r, false)
	return nil
}

// signal leaves a token if a claim would succeed. The caller holds mu.
func (s *MemoryStore) signal(now time.Time) {
	if s.claimable(now) {
		signal(s.wake)
	}
}
