package queue

import (
	"context"
	"time"
)

// Cancel implements ControlBackend. A message in flight keeps its place until
// its handler ends, and is not counted before.
func (s *MemoryStore) Cancel(_ context.Context, id ID) error {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	r := s.records[id]
	switch {
	case r == nil || r.cancelled:
		return ErrNotFound
	case r.state == StateInFlight:
		r.cancelled = true
		s.freeUnique(r)
		return nil
	case r.state == StateFinished:
		s.leave(r)
		s.drop(r, now)
		return nil
	}
	s.leave(r)
	s.end(r, &s.accounts.Cancelled, now)
	s.signal(now)
	return nil
}

// Redrive implements ControlBackend.
func (s *MemoryStore) Redrive(_ context.Context, ids []ID) ([]error, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(ids))
	for i, id := range ids {
		r := s.records[id]
		if r == nil || r.state != StateDead {
			errs[i] = ErrNotFound
			continue
		}
		if holder, ok := s.holdUnique(r, now); !ok {
			errs[i] = &DuplicateError{Existing: holder}
			continue
		}
		s.leave(r)
		r.failures, r.losses, r.lastError = 0, 0, ""
		s.accounts.Redriven++
		s.enter(r, false)
	}
	s.signal(now)
	return errs, nil
}

// Purge implements ControlBackend.
func (s *MemoryStore) Purge(_ context.Context, state State, limit int) (int, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := range limit {
		r := s.firstOf(state)
		if r == nil {
			return n, nil
		}
		s.leave(r)
		if r.state == StateFinished {
			s.drop(r, now)
			continue
		}
		s.end(r, &s.accounts.Purged, now)
	}
	return limit, nil
}

// firstOf returns a message of the state; those that wait behind a key count as
// ready. The caller holds mu.
func (s *MemoryStore) firstOf(state State) *record {
	switch state {
	case StateReady:
		for i := range s.ready {
			if e := s.ready[i].Front(); e != nil {
				r, _ := e.Value.(*record)
				return r
			}
		}
		if e := s.solo.Front(); e != nil {
			r, _ := e.Value.(*record)
			return r
		}
		return s.firstWaiting()
	case StateDelayed:
		return s.delayed.first()
	case StateDead:
		return s.dead.first()
	case StateFinished:
		return s.finished.first()
	case StateWaiting, StateInFlight:
	}
	return nil
}

func (s *MemoryStore) firstWaiting() *record {
	if s.waiting == 0 {
		return nil
	}
	for _, l := range s.keys {
		if e := l.waiting.Front(); e != nil {
			r, _ := e.Value.(*record)
			return r
		}
	}
	return nil
}

// Pause implements ControlBackend.
func (s *MemoryStore) Pause(_ context.Context, until time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = until
	s.signal(time.Now())
	return nil
}

// Tick implements ScheduleBackend.
func (s *MemoryStore) Tick(_ context.Context, schedule string, tick time.Time, e Envelope) (TickResult, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.ticks[schedule]
	switch {
	case !tick.After(last):
		return TickResult{Last: last}, nil
	case tick.After(now):
		return TickResult{Last: last, Early: tick.Sub(now)}, nil
	}
	s.ticks[schedule] = tick
	err := s.insert(&e, now)
	s.signal(now)
	return TickResult{Fired: true, Last: tick, Err: err}, nil
}

// LastTick implements ScheduleBackend.
func (s *MemoryStore) LastTick(_ context.Context, schedule string) (last, now time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ticks[schedule], time.Now(), nil
}
