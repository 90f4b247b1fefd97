package locktest

import (
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// raw is a backend without a Locker: a process that makes round trips of its own
// choice.
type raw struct {
	lock.Backend
	process string
	last    atomic.Uint32
}

// deaf hears no events.
type deaf struct{}

func (deaf) Granted(lock.Grant) {}
func (deaf) Contended(string)   {}
func (deaf) Missed()            {}

func (s *space) raw() *raw {
	s.Helper()
	r := &raw{Backend: s.backend.New(s.TB), process: rand.Text()[:lock.ProcessLen]}
	if err := r.Start(r.process, deaf{}); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = r.Close(s.ctx) })
	return r
}

// claim returns a claim with a token of its own.
func (r *raw) claim(ttl time.Duration) lock.Claim {
	token := fmt.Sprintf("%s%0*d", r.process, lock.TokenLen-lock.ProcessLen, r.last.Add(1))
	return lock.Claim{Name: name, Token: token, TTL: ttl, Deadline: time.Now().Add(ttl)}
}

func retryIsOneEffect(s *space) {
	a, b := s.raw(), s.node()
	c := a.claim(ttl)
	first, err := a.Acquire(s.ctx, c, true)
	if err != nil || first.State != lock.Granted {
		s.Fatalf("acquire: %+v, %v", first, err)
	}
	s.backend.Elapse(ttl / 2)
	again, err := a.Acquire(s.ctx, c, true)
	if err != nil || again.State != lock.Granted {
		s.Fatalf("acquire again: %+v, %v", again, err)
	}
	if again.Fence != first.Fence {
		s.Errorf("the fence was %d and is %d after a retry", first.Fence, again.Fence)
	}
	s.backend.Elapse(ttl/2 + ttl/10)
	if !s.held(b, name) {
		s.Error("the retry did not make the grant last for its ttl again")
	}
	if had, err := a.Release(s.ctx, c); err != nil || !had {
		s.Errorf("release: %v, %v", had, err)
	}
	if s.held(b, name) {
		s.Error("held after its release")
	}
}

func queueOnce(s *space) {
	a, b := s.raw(), s.node()
	lease := s.take(b, name, lock.Request{TTL: time.Minute})
	c := a.claim(time.Minute)
	for range 5 {
		if r, err := a.Acquire(s.ctx, c, true); err != nil || r.State != lock.Held || r.Waiters != 1 {
			s.Fatalf("queue: %+v, %v", r, err)
		}
	}
	s.release(lease)
	if r, err := a.Acquire(s.ctx, c, true); err != nil || r.State != lock.Granted {
		s.Fatalf("acquire after the release: %+v, %v", r, err)
	}
	if had, err := a.Release(s.ctx, c); err != nil || !had {
		s.Errorf("release: %v, %v", had, err)
	}
	if s.held(b, name) {
		s.Error("a second place in the queue was granted, too")
	}
}

func foreignRelease(s *space) {
	a, b := s.raw(), s.node()
	lease := s.take(b, name, lock.Request{})
	foreign := a.claim(ttl)
	foreign.Deadline = time.Now()
	if had, err := a.Release(s.ctx, foreign); err != nil || had {
		s.Errorf("release of nothing: %v, %v", had, err)
	}
	if r, err := a.Extend(s.ctx, foreign); err != nil || r.State == lock.Granted {
		s.Errorf("extend of nothing: %+v, %v", r, err)
	}
	if !s.held(s.node(), name) {
		s.Error("a foreign token released the lock")
	}
	s.release(lease)
}
