package lock

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A step is what a waiter does next.
type step int

const (
	sleep step = iota
	ask
	confirm
	done
)

// await brings w to its lease or its error. The waiter in front of a seat makes
// the seat's round trips, on this goroutine and with its own ctx; when it is
// gone, the next one does.
func (n *locker) await(w *waiter) (*Lease, error) {
	for {
		next, pause := n.step(w)
		switch next {
		case done:
			return w.lease, w.err
		case ask:
			n.ask(w)
		case confirm:
			n.confirm(w)
		case sleep:
			w.sleep(pause)
		}
	}
}

// step decides what w does. A pause of 0 means until it is signalled.
func (n *locker) step(w *waiter) (next step, pause time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w.lease != nil || w.err != nil {
		return done, 0
	}
	if w.ctx.Err() != nil {
		n.giveUp(w, w.waitError())
		return done, 0
	}
	s := w.seat
	if s.waiters.front() != w || s.driving {
		return w.park(0)
	}
	switch s.phase {
	case asking:
		next = ask
	case confirming:
		next = confirm
	case queued:
		if pause = time.Until(s.poll); pause > 0 {
			return w.park(pause)
		}
		next = ask
	case held:
		return w.park(0)
	}
	s.driving = true
	return next, 0
}

// park prepares w to be signalled.
func (w *waiter) park(pause time.Duration) (step, time.Duration) {
	if w.ready == nil {
		w.ready = make(chan struct{}, 1)
	}
	return sleep, pause
}

// waitError is the error of a wait that ctx ended.
func (w *waiter) waitError() error {
	why := ErrHeld
	if !w.heard && w.seat.driven(w) {
		why = ErrUncertain
	}
	if cause := context.Cause(w.ctx); !errors.Is(cause, w.ctx.Err()) {
		return fmt.Errorf("%w: %w: %w", why, w.ctx.Err(), cause)
	}
	return fmt.Errorf("%w: %w", why, w.ctx.Err())
}

// driven reports whether w has asked the backend itself and heard nothing.
func (s *seat) driven(w *waiter) bool {
	return s.waiters.front() == w && s.placed && s.phase == asking
}

// sleep waits for a signal, the end of ctx, or the pause.
func (w *waiter) sleep(pause time.Duration) {
	if pause == 0 {
		select {
		case <-w.ready:
		case <-w.ctx.Done():
		}
		return
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-w.ready:
	case <-w.ctx.Done():
	case <-timer.C:
	}
}

// giveUp takes w out of its seat with err. The next waiter takes over; without
// one, what the backend may hold is given back in the background.
func (n *locker) giveUp(w *waiter, err error) {
	w.err = err
	s := w.seat
	s.waiters.remove(w)
	if next := s.waiters.front(); next != nil {
		next.signal()
		return
	}
	if s.lease != nil {
		return
	}
	if s.placed {
		n.giveBack(s.released(), nil)
	}
	n.closeTenure(s)
}

// ask makes one request to the backend for w, who is in front.
func (n *locker) ask(w *waiter) {
	s := w.seat
	c, sent := n.begin(s, w)
	r, err := n.backend.Acquire(w.ctx, c, !w.try)
	if r.Sent.IsZero() {
		r.Sent = sent
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s.driving = false
	if n.closed {
		n.abandon(w, c)
		return
	}
	pushed, missed := s.pushed, s.missed
	s.pushed, s.missed = nil, false
	switch {
	case err == nil && r.State == Granted:
		s.crowd(r.Waiters, r.Sent)
		s.replicas = c.Replicas
		n.granted(s, r.Fence, r.Sent)
	case pushed != nil:
		n.acceptPush(s, *pushed)
	case err != nil:
		n.failed(w, err)
	case w.try:
		s.placed = false
		n.giveUp(w, ErrHeld)
	default:
		w.heard = true
		s.phase = queued
		if !missed {
			s.poll = time.Now().Add(r.Poll)
		}
	}
}

// begin marks the token as known to the backend. What it claims is settled then.
func (n *locker) begin(s *seat, w *waiter) (Claim, time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if !s.placed {
		s.placed, s.since = true, now
		s.claim.TTL, s.claim.Replicas = w.opts.TTL, w.opts.Replicas
	}
	return s.claim, now
}

// failed ends the wait of w with the error of a round trip.
func (n *locker) failed(w *waiter, err error) {
	ended := w.ctx.Err()
	said := !w.heard && errors.Is(err, ErrUncertain) && errors.Is(err, ended)
	if ended != nil && !said && !errors.Is(err, ErrNotReplicated) {
		err = fmt.Errorf("%w: %w", w.waitError(), err)
	}
	n.giveUp(w, err)
}

// abandon ends a wait that the Close of the locker overtook.
func (n *locker) abandon(w *waiter, c Claim) {
	if w.err == nil {
		w.err = ErrClosed
	}
	// The round trip may have been answered after Close released the token.
	ctx, cancel := context.WithTimeout(n.life, n.conf.OpTimeout)
	n.mu.Unlock()
	defer n.mu.Lock()
	defer cancel()
	_, _ = n.backend.Release(ctx, c)
}
