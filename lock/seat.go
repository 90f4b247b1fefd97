package lock

import (
	"context"
	"time"
)

// A seat is the place of this process for one name: at most one tenure at a
// time, and the local waiters in their order. All fields are guarded by the
// mutex of the locker.
type seat struct {
	tenure
	waiters waiters
	driving bool // a goroutine makes a round trip for this seat

	wake  time.Time // when the scheduler looks at it, and
	index int       // its place there; -1: none
}

// A phase is what a tenure has reached.
type phase int

const (
	asking     phase = iota // the waiter in front has to ask, or asks
	queued                  // the backend will tell
	confirming              // granted, but the waiter in front must extend it first
	held                    // granted, and there is a lease
)

// A tenure is the life of one token: from the first request until it is
// released or lost. While it lasts, several local waiters may have their turn.
type tenure struct {
	claim  Claim
	phase  phase
	placed bool      // the backend may know the token
	since  time.Time // when the token was first asked for: no grant is older
	poll   time.Time // queued: when to ask again
	pushed *Grant    // came while a request was under way
	missed bool      // events may have been lost while one was under way

	lease    *Lease
	fence    uint64
	turn     uint64
	replicas int           // that have acknowledged
	sent     time.Time     // when the last request was sent that was granted
	ends     time.Time     // when the backend may grant to another
	tried    time.Time     // when the last renewal was sent
	renewing int           // renewals without an answer
	slowness time.Duration // how long answers take

	contended   bool // others wait at the backend,
	contendedAt time.Time
	turns       int       // and so many turns were taken here in spite of them
	hinted      time.Time // when an event last said that others wait
}

// sit adds a waiter for name. A try does not wait behind others.
func (n *locker) sit(ctx context.Context, name string, o Request, try bool) (*waiter, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return nil, ErrClosed
	}
	w := &waiter{ctx: ctx, opts: o, try: try}
	s := n.names[name]
	if o.Permits > 0 {
		s = nil
	}
	if s != nil && try {
		return nil, ErrHeld
	}
	if s == nil {
		s = &seat{index: -1}
		s.claim.Name, s.claim.Permits = name, o.Permits
		n.open(s, o)
		if o.Permits == 0 {
			n.names[name] = s
		}
	}
	if s.lease != nil {
		n.listen()
	}
	w.seat = s
	s.waiters.push(w)
	return w, nil
}

// open begins a tenure with a new token, for a waiter with the options o.
func (n *locker) open(s *seat, o Request) {
	c := Claim{Name: s.claim.Name, Permits: s.claim.Permits, Token: n.tokens.next(), TTL: o.TTL, Replicas: o.Replicas}
	s.tenure = tenure{claim: c}
	n.seats[c.Token] = s
}

// closeTenure ends the tenure. If others wait here a new one begins, and the
// first of them asks for it; otherwise the seat is gone.
func (n *locker) closeTenure(s *seat) {
	n.alarms.remove(s)
	delete(n.seats, s.claim.Token)
	if w := s.waiters.front(); w != nil {
		n.open(s, w.opts)
		w.signal()
		return
	}
	if s.claim.Permits == 0 {
		delete(n.names, s.claim.Name)
	}
}

// released is the claim with what Release needs to know.
func (s *seat) released() Claim {
	c := s.claim
	c.Fence, c.Deadline = s.fence, s.ends.Add(-margin(c.TTL))
	return c
}

// crowd notes how many waited at the backend at some time after sent. That nobody
// did is overtaken by an event that came since.
func (s *seat) crowd(waiters int, sent time.Time) {
	switch {
	case waiters == 0:
		s.contended = s.contended && !s.hinted.Before(sent)
	case !s.contended:
		s.contended, s.contendedAt, s.turns = true, time.Now(), 1
	}
}
