package queue

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// consumerFor is how long a consumer that is not heard of is listed.
const consumerFor = 30 * time.Second

// Stats implements InspectBackend.
func (s *MemoryStore) Stats(context.Context) (Stats, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	st := Stats{
		Now:      now,
		Waiting:  s.waiting,
		InFlight: s.leased.Len(),
		Delayed:  s.delayed.Len(),
		Dead:     s.dead.Len(),
		Finished: s.finished.Len(),
		Accounts: s.accounts,
	}
	for i := range s.ready {
		st.Ready[i] = s.ready[i].Len()
	}
	for e := s.solo.Front(); e != nil; e = e.Next() {
		r, _ := e.Value.(*record)
		st.Ready[level(r.Priority)]++
	}
	if r := s.firstOf(StateReady); r != nil {
		st.OldestReady = now.Sub(r.enqueued)
	}
	if now.Before(s.paused) {
		st.PausedUntil = s.paused
	}
	return st, nil
}

// Get implements InspectBackend.
func (s *MemoryStore) Get(_ context.Context, id ID) (Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(time.Now())
	r := s.records[id]
	if r == nil || r.cancelled {
		return Info{}, ErrNotFound
	}
	return r.info(), nil
}

func (r *record) info() Info {
	i := Info{
		Envelope: r.Envelope, State: r.state, EnqueuedAt: r.enqueued,
		Failures: r.failures, LastError: r.lastError,
		Progress: slices.Clone(r.progress), Result: slices.Clone(r.result),
	}
	if r.state != StateReady && r.state != StateWaiting {
		i.Due = r.due
	}
	return i
}

// List implements InspectBackend.
func (s *MemoryStore) List(_ context.Context, req ListRequest) (Page, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(time.Now())
	var page Page
	i := 0
	for r := range s.inOrder(req.State) {
		if r.cancelled {
			continue
		}
		if i++; i <= req.Offset {
			continue
		}
		if len(page.Messages) == req.Limit {
			page.More = true
			break
		}
		page.Messages = append(page.Messages, r.info())
	}
	return page, nil
}

// inOrder yields the messages of a state, next or oldest first. The caller holds
// mu.
func (s *MemoryStore) inOrder(state State) func(yield func(*record) bool) {
	byTime := func(t *timeline) []*record {
		return slices.SortedFunc(slices.Values(t.items), func(a, b *record) int {
			return cmp.Or(a.due.Compare(b.due), cmp.Compare(a.seq, b.seq))
		})
	}
	var all []*record
	switch state {
	case StateReady, StateWaiting:
		for _, r := range s.records {
			if r.state == state {
				all = append(all, r)
			}
		}
		slices.SortFunc(all, func(a, b *record) int {
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), a.enqueued.Compare(b.enqueued))
		})
		if state == StateReady {
			all = s.readyInOrder()
		}
	case StateInFlight:
		all = byTime(&s.leased)
	case StateDelayed:
		all = byTime(&s.delayed)
	case StateDead:
		all = byTime(&s.dead)
	case StateFinished:
		all = byTime(&s.finished)
	}
	return slices.Values(all)
}

func (s *MemoryStore) readyInOrder() []*record {
	var all []*record
	for e := s.solo.Front(); e != nil; e = e.Next() {
		r, _ := e.Value.(*record)
		all = append(all, r)
	}
	for i := range s.ready {
		for e := s.ready[i].Front(); e != nil; e = e.Next() {
			r, _ := e.Value.(*record)
			all = append(all, r)
		}
	}
	return all
}

// Consumers implements InspectBackend.
func (s *MemoryStore) Consumers(context.Context) ([]ConsumerInfo, error) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []ConsumerInfo
	for name, seen := range s.consumers {
		if now.Sub(seen) > consumerFor {
			delete(s.consumers, name)
			continue
		}
		list = append(list, ConsumerInfo{Name: name, Seen: seen})
	}
	slices.SortFunc(list, func(a, b ConsumerInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, nil
}
