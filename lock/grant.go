package lock

import (
	"context"
	"time"
)

// maxStay is how long a process serves its own waiters while others wait.
const maxStay = 10 * time.Millisecond

// Granted implements Events.
func (n *locker) Granted(g Grant) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.seats[g.Token]
	switch {
	case s == nil:
		// Nobody waits for it any more: its waiter gave up at this moment.
		n.giveBack(Claim{Name: g.Name, Token: g.Token, TTL: g.TTL, Permits: g.Permits}, nil)
	case s.phase == held || s.phase == confirming: // said twice
	case s.driving:
		s.pushed = &g
	default:
		n.acceptPush(s, g)
	}
}

// Contended implements Events.
func (n *locker) Contended(token string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s := n.seats[token]; s != nil {
		s.hinted = time.Now()
		s.crowd(1, s.hinted)
	}
}

// Missed implements Events.
func (n *locker) Missed() {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for _, s := range n.seats {
		w := s.waiters.front()
		switch {
		case w == nil:
		case s.driving:
			s.missed = true // the answer may be older than this
		case s.phase == queued:
			s.poll = time.Time{}
			w.signal()
		case s.phase == held:
			n.renew(s, now)
		}
	}
}

// acceptPush takes a grant that was made at an unknown time after s.since. News may
// come late: the grant may be over by then, and the token have been granted again,
// although it was asked for in between. So if the time since s.since leaves room
// for that, w asks: the answer has what is true, the fence too.
func (n *locker) acceptPush(s *seat, g Grant) {
	s.crowd(g.Waiters, s.since)
	s.fence, s.turn = g.Fence, 0
	s.sent, s.ends = s.since, s.since.Add(g.TTL)
	w := s.waiters.front()
	if time.Until(s.ends) < w.opts.TTL/3*2 {
		s.phase = asking
		w.signal()
		return
	}
	if w.opts.Replicas > 0 {
		s.phase = confirming
		w.signal()
		return
	}
	n.give(s, w)
}

// granted takes a grant that answers a request.
func (n *locker) granted(s *seat, fence uint64, sent time.Time) {
	s.fence, s.turn = fence, 0
	s.sent, s.ends = sent, sent.Add(s.claim.TTL)
	now := time.Now()
	s.slowness = now.Sub(sent)
	w := s.waiters.front()
	switch {
	case w.opts.TTL != s.claim.TTL || w.opts.Replicas > s.replicas:
		s.phase = confirming // another waiter made the claim
	case s.late(w, now):
		s.phase = asking
	case s.ends.Sub(now) < w.opts.TTL/2:
		s.phase = confirming // the answer took long; let the lease begin with more time
	default:
		n.give(s, w)
	}
}

// late reports whether the answer took so long that the lease of w would be
// over already.
func (s *seat) late(w *waiter, now time.Time) bool {
	return s.ends.Sub(now) <= margin(w.opts.TTL)
}

// give makes w, who is in front, the holder.
func (n *locker) give(s *seat, w *waiter) {
	s.waiters.remove(w)
	s.phase = held
	l := n.lease(s, w)
	s.lease, w.lease = l, l
	n.schedule(s)
	w.signal()
}

// hand passes the name on from a holder whose lease has ended: to the next
// waiter here, or else by the release of the claim that it returns.
func (n *locker) hand(s *seat) (c Claim, release bool) {
	s.lease = nil
	if w := s.waiters.front(); w != nil && n.mayStay(s) {
		s.turn++
		s.turns++
		left := time.Until(s.ends)
		if w.opts.NoRenew || left < w.opts.TTL/2 || w.opts.Replicas > s.replicas {
			n.alarms.remove(s)
			s.phase = confirming
			w.signal()
			return c, false
		}
		n.give(s, w)
		return c, false
	}
	c = s.released()
	n.closeTenure(s)
	return c, true
}

// mayStay reports whether the next turn may be taken in this process.
func (n *locker) mayStay(s *seat) bool {
	if s.turn >= maxTurn || s.claim.Permits > 0 {
		return false
	}
	return !s.contended || s.turns < n.conf.LocalBatch && time.Since(s.contendedAt) < maxStay
}

// confirm extends a grant before w, who is in front, becomes the holder.
func (n *locker) confirm(w *waiter) {
	s := w.seat
	c, sent := n.begin(s, w)
	c.TTL, c.Replicas = w.opts.TTL, w.opts.Replicas
	r, err := n.backend.Extend(w.ctx, c)
	if r.Sent.IsZero() {
		r.Sent = sent
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	s.driving = false
	switch {
	case n.closed:
		n.abandon(w, c)
	case err != nil:
		n.failed(w, err)
	case r.State != Granted:
		n.closeTenure(s) // lost while nobody had it: queue again
	default:
		s.extended(r, c.TTL)
		s.replicas = max(s.replicas, c.Replicas)
		if !s.late(w, time.Now()) {
			n.give(s, w)
		}
	}
}

// extended notes an answer that the grant lasts longer.
func (s *seat) extended(r Reply, ttl time.Duration) {
	s.slowness = max(time.Since(r.Sent), s.slowness-s.slowness/8)
	if r.Sent.After(s.sent) {
		s.sent = r.Sent
	}
	if ends := r.Sent.Add(ttl); ends.After(s.ends) {
		s.ends = ends
	}
	s.crowd(r.Waiters, r.Sent)
}

// lose ends the tenure and its lease. The caller tells the hook about the lease
// that it returns, once the mutex is free.
func (n *locker) lose(s *seat, cause error, gone bool) *Lease {
	l := s.lease
	s.lease = nil
	l.end(cause)
	early := margin(l.opts.TTL)
	if !gone && (s.renewing > 0 || time.Until(s.ends) > 2*early) {
		// The backend would keep it, or a late renewal would make it last, for
		// longer than its holder may.
		n.giveBack(s.released(), func(ctx context.Context) { pause(ctx, early) })
	}
	n.closeTenure(s)
	return l
}
