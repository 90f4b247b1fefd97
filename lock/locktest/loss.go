package locktest

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/lock"
)

func expires(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{NoRenew: true})
	s.ended(lease.Context(), ttl+soon, lock.ErrLost)
	s.is(lease.Release(s.ctx), lock.ErrLost)
	dead := s.raw() // takes the name and is never heard of again
	s.eventually(patience, "granted", func() bool {
		r, err := dead.Acquire(s.ctx, dead.claim(ttl), false)
		return err == nil && r.State == lock.Granted
	})
	began := time.Now()
	s.backend.Elapse(ttl / 10)
	next := s.take(b, name, lock.Request{})
	if took := time.Since(began); took > ttl+soon {
		s.Errorf("granted %v after a grant for %v", took, ttl)
	}
	s.release(next)
}

func toldBeforeGrant(s *space) {
	a, b := s.node(), s.node()
	for _, o := range []lock.Request{{NoRenew: true}, {MaxHold: ttl / 2}} {
		lease := s.take(a, name, o)
		if left := time.Until(lease.Deadline()); left > ttl-ttl/20 {
			s.Errorf("the deadline is %v away, the margin of a ttl of %v is not taken off", left, ttl)
		}
		w := s.wait(b, name, lock.Request{})
		next := s.get(w, patience)
		if lease.Context().Err() == nil {
			s.Error("another has the name and the lease has not ended")
		}
		s.is(context.Cause(lease.Context()), lock.ErrLost)
		s.release(next)
	}
}

func renewed(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{})
	for end := time.Now().Add(3 * ttl); time.Now().Before(end); {
		if !s.held(b, name) {
			s.Fatal("free although it is held")
		}
		s.backend.Elapse(ttl / 10)
	}
	if err := lease.Context().Err(); err != nil {
		s.Errorf("the lease ended: %v", context.Cause(lease.Context()))
	}
	s.release(lease)
}

func lossNoticed(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{})
	thief := s.raw()
	stolen := lock.Claim{Name: name, Token: lease.Token(), TTL: ttl, Deadline: time.Now()}
	if had, err := thief.Release(s.ctx, stolen); err != nil || !had {
		s.Fatalf("release by token: %v, %v", had, err)
	}
	s.ended(lease.Context(), ttl/3+ttl/5, lock.ErrLost)
	s.backend.Elapse(ttl)
	if s.held(b, name) {
		s.Error("a grant that was lost was made again")
	}
	s.is(lease.Release(s.ctx), lock.ErrLost)
	s.is(lease.Extend(s.ctx, time.Minute), lock.ErrLost)
}

func extendNeverShortens(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{NoRenew: true, TTL: ttl})
	if err := lease.Extend(s.ctx, 10*ttl); err != nil {
		s.Fatal(err)
	}
	if left := time.Until(lease.Deadline()); left < 8*ttl {
		s.Errorf("extended by %v, the deadline is %v away", 10*ttl, left)
	}
	before := lease.Deadline()
	if err := lease.Extend(s.ctx, ttl/2); err != nil || lease.Deadline().Before(before) {
		s.Errorf("a shorter Extend moved the deadline by %v, %v", lease.Deadline().Sub(before), err)
	}
	raw := s.raw()
	claim := lock.Claim{Name: name, Token: lease.Token(), TTL: ttl / 2}
	if r, err := raw.Extend(s.ctx, claim); err != nil || r.State != lock.Granted {
		s.Fatalf("extend by token: %+v, %v", r, err)
	}
	s.backend.Elapse(ttl + ttl/10)
	if !s.held(b, name) || lease.Context().Err() != nil {
		s.Error("a second, shorter Extend shortened the first")
	}
	s.release(lease)
}

func maxHold(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{MaxHold: 2 * ttl})
	s.backend.Elapse(ttl + ttl/2)
	if lease.Context().Err() != nil {
		s.Errorf("ended before MaxHold: %v", context.Cause(lease.Context()))
	}
	s.ended(lease.Context(), ttl+soon, lock.ErrLost)
	s.release(s.take(b, name, lock.Request{}))
}

func waitersAfterLoss(s *space) {
	a := s.node()
	lease := s.take(a, name, lock.Request{NoRenew: true})
	first, second := s.wait(a, name, lock.Request{}), s.wait(a, name, lock.Request{})
	got := s.get(either(first, second), patience)
	if lease.Context().Err() == nil {
		s.Error("the waiter has the name and the lease has not ended")
	}
	s.release(got)
	s.release(s.get(either(first, second), soon))
}

// either is whichever of the two has its lease first.
func either(a, b *waiting) *waiting {
	w := &waiting{lease: make(chan *lock.Lease, 1), err: make(chan error, 1)}
	go func() { // each Acquire ends with its ctx
		select {
		case l := <-a.lease:
			w.lease <- l
		case l := <-b.lease:
			w.lease <- l
		case err := <-a.err:
			w.err <- err
		case err := <-b.err:
			w.err <- err
		}
	}()
	return w
}
