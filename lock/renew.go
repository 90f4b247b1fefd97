package lock

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// maxRenewing is how many renewals of one tenure may be without an answer. They
// overlap, so that one that hangs does not keep the next from being sent.
const maxRenewing = 32

// schedule sets the time at which the scheduler looks at s next: its renewal or
// the end of its lease, whatever is first.
func (n *locker) schedule(s *seat) {
	l := s.lease
	if l == nil {
		return
	}
	at := l.deadline()
	if !l.opts.NoRenew {
		base := s.sent
		if s.tried.After(base) {
			base = s.tried
		}
		if renew := base.Add(s.interval()); renew.Before(at) {
			at = renew
		}
	}
	n.alarms.set(s, at, n.ring)
}

// interval is the time between renewals: a third of the TTL, and less where
// answers take long, so that the same number of them arrives in time.
func (s *seat) interval() time.Duration {
	ttl := s.lease.opts.TTL
	return max(ttl/3-s.slowness, ttl/16)
}

// tick is the scheduler: it ends the leases whose time is over and starts the
// renewals that are due. It runs when the first alarm goes off.
func (n *locker) tick() {
	n.mu.Lock()
	now := time.Now()
	var lost []*Lease
	for s := n.alarms.due(now); s != nil; s = n.alarms.due(now) {
		if now.Before(s.lease.deadline()) {
			n.renew(s, now)
			n.schedule(s)
			continue
		}
		lost = append(lost, n.lose(s, s.lease.endCause(now), false))
	}
	n.alarms.arm(n.ring)
	n.mu.Unlock()
	for _, l := range lost {
		n.lostHook(l, l.ended)
	}
}

// renew sends one renewal, whose answer also says whether others wait. Its
// goroutine ends with the answer, or after OpTimeout: not with the lease, because
// on a slow link a new connection may take longer than that and serves the next.
func (n *locker) renew(s *seat, now time.Time) {
	s.tried = now
	if s.renewing >= maxRenewing {
		return
	}
	l, c := s.lease, s.claim
	c.TTL, c.Replicas = l.renewalTTL(now), 0
	started := n.group.Go("renew", func(context.Context) {
		ctx, cancel := context.WithTimeout(n.life, n.conf.OpTimeout)
		defer cancel()
		r, err := n.backend.Extend(ctx, c)
		if r.Sent.IsZero() {
			r.Sent = now
		}
		n.renewed(s, c, r, err)
	})
	if started {
		s.renewing++
	}
}

// renewed takes the answer to a renewal.
func (n *locker) renewed(s *seat, c Claim, r Reply, err error) {
	n.mu.Lock()
	if n.seats[c.Token] != s {
		n.mu.Unlock()
		return
	}
	s.renewing--
	l := s.lease
	if l == nil {
		if err == nil && r.State == Granted {
			s.extended(r, c.TTL)
		}
		n.mu.Unlock()
		return
	}
	var lost *Lease
	switch {
	case err != nil:
		s.tried = s.tried.Add(-s.interval() / 4 * 3) // again, but soon
		n.schedule(s)
	case r.State != Granted:
		lost = n.lose(s, ErrLost, true)
	default:
		s.extended(r, c.TTL)
		n.schedule(s)
	}
	n.mu.Unlock()
	if lost != nil {
		n.lostHook(lost, ErrLost)
	}
	if err != nil {
		n.conf.Hooks.renewFailed(c.Name, err)
	}
}

func (n *locker) lostHook(l *Lease, cause error) {
	n.conf.Logger.Warn("lock: lease lost", "name", l.name, "held", time.Since(l.since), "cause", cause)
	n.conf.Hooks.lost(l, cause)
}

func pause(ctx context.Context, d time.Duration) { _ = backoff.Sleep(ctx, d) }
