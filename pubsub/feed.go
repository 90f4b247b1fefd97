package pubsub

import "slices"

// phase says where a subscription gets the entries of one bus from.
type phase int

const (
	// attached: the live feed queues them.
	attached phase = iota
	// detached: the subscription reads them from the log, page by page.
	detached
	// joining: both, for the live feed queues what comes after joinAt, and the log
	// is read up to there.
	joining
)

// feed is one bus of a subscription. The subscription's mu guards it.
type feed struct {
	sub    *subscription
	bus    *bus
	phase  phase
	last   Mark // the last message that was queued
	popped Mark // the last one that went to the handler
	joinAt int64

	// Only the subscription's goroutine uses these.
	pager Pager
	// skip is the place up to which the log was read; what the live feed queued
	// before it has been handled.
	skip Mark
}

// push queues a message of the live feed.
func (f *feed) push(d *Delivery) {
	s := f.sub
	if s.skips(d) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || f.phase == detached {
		return
	}
	if s.size >= s.opts.QueueSize {
		if s.opts.Policy == Block {
			f.detach()
			s.signal()
			return
		}
		f.last = d.mark
		s.collapse()
		return
	}
	f.last = d.mark
	s.queue.add(event{feed: f, d: d})
	s.size++
	s.signal()
}

// gap queues a Gap of the live feed.
func (f *feed) gap(g Gap, at Mark) {
	s := f.sub
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || f.phase == detached && g.Reason != GapAbsent {
		return // the log will tell
	}
	if f.phase != detached {
		f.last = at
	}
	s.queue.add(event{feed: f, gap: &g})
	s.signal()
}

// detach leaves the live feed: what is not queued yet will be read from the log.
func (f *feed) detach() {
	s := f.sub
	if f.phase == joining { // the log is not read up to what is queued
		s.queue.keep(func(e event) bool {
			mine := e.feed == f && e.d != nil
			if mine {
				s.size--
			}
			return !mine
		})
	}
	f.phase = detached
}

// collapse puts one Gap in place of all that is queued, and of the message that
// did not find room.
func (s *subscription) collapse() {
	g := Gap{Reason: GapOverflow, Missed: 1}
	for _, e := range s.queue.rest() {
		switch {
		case e.d != nil:
			g.Missed++
		case e.gap != nil:
			g = e.gap.merge(g)
		}
	}
	g.After, g.Resume = Position{}, Position{}
	for _, f := range s.feeds {
		g.After = g.After.with(f.bus.index, f.popped)
		g.Resume = g.Resume.with(f.bus.index, f.last)
	}
	s.queue.keep(func(e event) bool { return e.token != nil })
	s.queue.events = slices.Insert(s.queue.events, 0, event{gap: &g})
	s.size = 0
	s.signal()
}
