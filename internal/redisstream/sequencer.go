package redisstream

import "slices"

// maxHeld bounds the bytes of pushes that wait for a repair. Beyond it they are
// dropped and read from the log instead.
const maxHeld = 4 << 20

// sink is told what the sequencer found, in order.
type sink struct {
	entries func([]Entry)
	gap     func(Gap)
}

// sequencer puts pushes and answers about the state of the log in order. It is
// a state machine without I/O: its owner calls it with one thing at a time.
type sequencer struct {
	out     sink
	cur     Cursor
	started bool
	// scan is the ID after which the next page starts; entries that are not of
	// this package move it beyond cur.ID.
	scan ID
	// asking: pushes are held, because entries before them are not here yet.
	asking  bool
	held    []frame
	size    int
	dropped bool
	// oldest: the start is wherever the log begins now.
	oldest bool
	// pushed is the highest ordinal that a push has brought.
	pushed  int64
	foreign int64
}

// question is what the next state call asks for.
type question struct {
	cur   Cursor
	scan  ID
	count int
}

func (s *sequencer) question(count int) question {
	return question{cur: s.cur, scan: s.scan, count: count}
}

// resume makes the sequencer start after cur instead of at the newest entry.
func (s *sequencer) resume(cur Cursor) {
	s.cur, s.scan, s.started, s.asking = cur, cur.ID, true, true
}

// push takes in the entries of one push. It reports whether the log must be
// asked for what is missing before them.
func (s *sequencer) push(f frame) (ask bool) {
	s.pushed = max(s.pushed, f.last())
	switch {
	case s.asking:
		s.hold(f)
	case f.last() <= s.cur.N: // known already
	case f.first() > s.cur.N+1:
		s.asking = true
		s.hold(f)
	default:
		s.deliver(f.entries[s.cur.N+1-f.first():])
	}
	return s.asking
}

func (s *sequencer) hold(f frame) {
	if s.size+f.size > maxHeld {
		s.held, s.size, s.dropped = nil, 0, true
		return
	}
	s.held = append(s.held, f)
	s.size += f.size
}

// deliver hands on entries that follow the cursor.
func (s *sequencer) deliver(entries []Entry) {
	if len(entries) == 0 {
		return
	}
	last := entries[len(entries)-1]
	s.cur.N, s.cur.ID, s.scan = last.N, last.ID, last.ID
	s.out.entries(entries)
}

// answer takes in the reply to q. It reports whether the log must be asked
// again; if not, all that it held when q was sent has been handed on.
func (s *sequencer) answer(q question, st state) (ask bool) {
	if !s.started {
		s.started = true
		s.cur = Cursor{Base: st.base, N: st.n, ID: st.newest, Run: st.run}
		s.scan = st.newest
		return s.join()
	}
	if s.oldest {
		s.startAtOldest(st)
	}
	if s.anotherLog(st) {
		s.moveTo(Gap{Reason: Reset, Missed: -1}, Cursor{Base: st.base, N: st.base, Run: st.run})
		return true
	}
	s.cur.Base = st.base
	if s.anotherServer(st) || anotherBranch(q, st) {
		s.failOver(q, st)
	}
	if st.run != "" {
		s.cur.Run = st.run
	}
	s.readPage(st)
	if len(st.page) == q.count {
		s.asking = true
		return true
	}
	if st.n > s.cur.N {
		s.moveTo(Gap{Reason: Trimmed, Missed: st.n - s.cur.N},
			Cursor{Base: st.base, N: st.n, ID: st.newest, Run: st.run})
	}
	return s.join()
}

// startAtOldest puts the cursor before the first entry of the page, so that what
// was removed before counts as no loss.
func (s *sequencer) startAtOldest(st state) {
	s.oldest = false
	s.cur = Cursor{Base: st.base, N: st.n, Run: st.run}
	for _, e := range st.page {
		if e.N > 0 {
			s.cur.N = e.N - 1
			return
		}
	}
}

// anotherLog reports that the log which the cursor belongs to is gone.
func (s *sequencer) anotherLog(st state) bool {
	if s.cur.Base == 0 {
		return s.cur.N < st.base
	}
	return s.cur.Base != st.base
}

// anotherServer reports that the server is not the one that answered before. What
// the one before acknowledged may be lost, and nothing here would tell: an entry
// that nobody has seen leaves no trace, not even in the replication offset, for it
// may have been stored after the last question.
func (s *sequencer) anotherServer(st state) bool {
	return s.cur.Run != "" && st.run != "" && s.cur.Run != st.run
}

// anotherBranch reports that the log cannot be a continuation of the one that had
// the entry at the cursor: it is shorter, or has another entry with that ID or
// with that ordinal.
func anotherBranch(q question, st state) bool {
	if st.n < q.cur.N {
		return true
	}
	if q.cur.ID == (ID{}) {
		return false
	}
	if st.at != 0 && st.at != q.cur.N {
		return true
	}
	return slices.ContainsFunc(st.page, func(e Entry) bool { return e.N > 0 && e.N <= q.cur.N })
}

// failOver goes over to another branch of the log: what follows the cursor may be
// of either. Entries with an ID above the cursor's cannot have been handed on before.
func (s *sequencer) failOver(q question, st state) {
	resume := Cursor{Base: st.base, N: st.n, ID: st.newest, Run: st.run}
	if at := s.cur.N; st.at == at && q.cur.N == at { // both have the entry at the cursor
		resume.N, resume.ID = s.cur.N, s.cur.ID
	} else {
		for _, e := range st.page {
			if e.N > 0 && s.cur.ID.less(e.ID) {
				resume.N, resume.ID = e.N-1, s.cur.ID
				break
			}
		}
	}
	s.held, s.size, s.dropped = nil, 0, true // they may be of the other branch
	s.moveTo(Gap{Reason: Failover, Missed: -1}, resume)
}

// readPage hands on the entries of a page that follow the cursor, with a Gap
// before each entry whose predecessor is missing.
func (s *sequencer) readPage(st state) {
	run := make([]Entry, 0, len(st.page))
	for _, e := range st.page {
		if e.N == 0 {
			s.foreign++
			continue
		}
		next := s.cur.N + 1 + int64(len(run))
		switch {
		case e.N < next:
			continue
		case e.N > next:
			s.deliver(run)
			run = run[len(run):]
			at := s.cur
			at.N = e.N - 1
			s.moveTo(Gap{Reason: Trimmed, Missed: e.N - next}, at)
		}
		run = append(run, e)
	}
	s.deliver(run)
	if n := len(st.page); n > 0 && s.scan.less(st.page[n-1].ID) {
		s.scan = st.page[n-1].ID
	}
}

// moveTo puts the cursor elsewhere and reports the Gap between.
func (s *sequencer) moveTo(g Gap, resume Cursor) {
	g.After, g.Resume = s.cur, resume
	s.cur, s.scan = resume, resume.ID
	s.out.gap(g)
}

// join goes back to the pushes: those that were held follow the cursor, or the
// log is asked again.
func (s *sequencer) join() (ask bool) {
	held, dropped := s.held, s.dropped
	s.held, s.size, s.dropped = nil, 0, false
	s.asking = dropped
	for _, f := range held {
		s.push(f)
	}
	return s.asking
}

func (id ID) less(other ID) bool {
	return id.Ms < other.Ms || id.Ms == other.Ms && id.Seq < other.Seq
}
