package queue

import (
	"container/list"
	"slices"
	"time"
)

// This file holds the transitions of a record. All callers hold mu.

// level is the list of a priority: urgent first.
func level(p Priority) int { return int(PriorityUrgent - p) }

// enter makes r ready: behind its key's holder, else at the end of its list, or
// at the head.
func (s *MemoryStore) enter(r *record, head bool) {
	if r.Key != "" {
		l := s.keys[r.Key]
		if l == nil {
			l = &line{}
			s.keys[r.Key] = l
		}
		if l.holder != nil && l.holder != r {
			r.state = StateWaiting
			r.element = l.waiting.PushBack(r)
			s.waiting++
			return
		}
		l.holder = r
	}
	r.state = StateReady
	where := s.listOf(r)
	if head {
		r.element = where.PushFront(r)
	} else {
		r.element = where.PushBack(r)
	}
}

func (s *MemoryStore) listOf(r *record) *list.List {
	if r.losses >= suspectLosses {
		return &s.solo
	}
	return &s.ready[level(r.Priority)]
}

// leave takes r out of where its state put it.
func (s *MemoryStore) leave(r *record) {
	switch r.state {
	case StateReady:
		s.listOf(r).Remove(r.element)
	case StateWaiting:
		s.keys[r.Key].waiting.Remove(r.element)
		s.waiting--
	case StateInFlight:
		s.leased.remove(r)
	case StateDelayed:
		s.delayed.remove(r)
	case StateDead:
		s.dead.remove(r)
	case StateFinished:
		s.finished.remove(r)
	}
	r.element, r.receipt = nil, ""
}

// delay puts r on the timeline of delayed messages.
func (s *MemoryStore) delay(r *record, due time.Time) {
	r.state, r.due = StateDelayed, due
	s.delayed.add(r)
}

// openKey lets the next message of r's key become ready.
func (s *MemoryStore) openKey(r *record) {
	l := s.keys[r.Key]
	if r.Key == "" || l == nil || l.holder != r {
		return
	}
	l.holder = nil
	first := l.waiting.Front()
	if first == nil {
		delete(s.keys, r.Key)
		return
	}
	next, _ := l.waiting.Remove(first).(*record)
	s.waiting--
	s.enter(next, false)
}

// freeUnique gives back r's unique key, if it is r's.
func (s *MemoryStore) freeUnique(r *record) {
	if h, ok := s.uniques[r.Unique.Key]; ok && h.id == r.ID {
		delete(s.uniques, r.Unique.Key)
	}
}

// holdUnique takes r's unique key; another live holder is returned.
func (s *MemoryStore) holdUnique(r *record, now time.Time) (ID, bool) {
	if r.Unique.Key == "" {
		return ID{}, true
	}
	if h, ok := s.uniques[r.Unique.Key]; ok && now.Before(h.until) && h.id != r.ID {
		return h.id, false
	}
	s.uniques[r.Unique.Key] = hold{r.ID, now.Add(r.Unique.TTL)}
	return ID{}, true
}

// end removes r for good and counts it. It has left its place.
func (s *MemoryStore) end(r *record, count *int64, now time.Time) {
	*count++
	s.freeUnique(r)
	s.openKey(r)
	s.drop(r, now)
}

// drop forgets the record, but remembers an ID that was given.
func (s *MemoryStore) drop(r *record, now time.Time) {
	delete(s.records, r.ID)
	if r.Given {
		s.remembered[r.ID] = now.Add(s.opts.DedupeFor)
		s.forget = append(s.forget, r.ID)
	}
}

// done finishes r, and retains it if it asked for that.
func (s *MemoryStore) done(r *record, result []byte, now time.Time) {
	s.leave(r)
	if r.Retain == 0 {
		s.end(r, &s.accounts.Done, now)
		return
	}
	s.accounts.Done++
	s.freeUnique(r)
	s.openKey(r)
	r.result = result
	r.state, r.due = StateFinished, now.Add(r.Retain)
	s.finished.add(r)
}

// die keeps r among the dead, which are bounded.
func (s *MemoryStore) die(r *record, reason string, now time.Time) {
	s.freeUnique(r)
	s.openKey(r)
	r.state, r.due, r.lastError = StateDead, now, reason
	s.accounts.Died++
	s.dead.add(r)
	for s.dead.Len() > s.opts.DeadLimit {
		oldest := s.dead.first()
		s.leave(oldest)
		s.end(oldest, &s.accounts.Trimmed, now)
	}
}

// claimable reports whether a claim without limits would bring something.
func (s *MemoryStore) claimable(now time.Time) bool {
	return !now.Before(s.paused) && s.readyTotal() > 0
}

func (s *MemoryStore) readyTotal() int {
	n := s.solo.Len()
	for i := range s.ready {
		n += s.ready[i].Len()
	}
	return n
}

// sweep does what has become due: lost leases, delays, forgetting.
func (s *MemoryStore) sweep(now time.Time) {
	var lapsed []*record
	for r := s.leased.first(); r != nil && !now.Before(r.due); r = s.leased.first() {
		s.leave(r)
		lapsed = append(lapsed, r)
	}
	for _, l := range slices.Backward(lapsed) { // the first goes to the head last
		s.lapse(l, now)
	}
	for r := s.delayed.first(); r != nil && !now.Before(r.due); r = s.delayed.first() {
		s.leave(r)
		s.enter(r, false)
	}
	for r := s.finished.first(); r != nil && !now.Before(r.due); r = s.finished.first() {
		s.leave(r)
		s.drop(r, now)
	}
	for r := s.dead.first(); r != nil && now.Sub(r.due) >= s.opts.DeadFor; r = s.dead.first() {
		s.leave(r)
		s.end(r, &s.accounts.Trimmed, now)
	}
	for len(s.forget) > 0 && !now.Before(s.remembered[s.forget[0]]) {
		delete(s.remembered, s.forget[0])
		s.forget = s.forget[1:]
	}
}

// lapse handles a lease that nobody ended. The first loss makes a suspect, the
// second makes it run alone, and from then on each loss is an attempt.
func (s *MemoryStore) lapse(r *record, now time.Time) {
	s.accounts.Lapsed++
	if r.cancelled {
		s.end(r, &s.accounts.Cancelled, now)
		return
	}
	if r.losses < suspectLosses {
		r.losses++
		s.enter(r, true)
		return
	}
	r.failures++
	r.lastError = ErrLeaseLost.Error()
	if r.failures >= r.MaxAttempts {
		s.die(r, ErrLeaseLost.Error(), now)
		return
	}
	s.enter(r, true)
}
