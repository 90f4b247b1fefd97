package locktest

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/lock"
)

func exclusive(s *space) {
	var inside, most atomic.Int32
	var all sync.WaitGroup
	for range 3 {
		node := s.node()
		for range 3 {
			all.Go(func() {
				for range 4 {
					lease, err := node.Acquire(s.ctx, name, lock.Request{TTL: 10 * ttl})
					if err != nil {
						s.Errorf("acquire: %v", err)
						return
					}
					if n := inside.Add(1); n > most.Load() {
						most.Store(n)
					}
					time.Sleep(100 * time.Microsecond)
					inside.Add(-1)
					if err := lease.Release(s.ctx); err != nil {
						s.Errorf("release: %v", err)
					}
				}
			})
		}
	}
	all.Wait()
	if n := most.Load(); n != 1 {
		s.Errorf("%d holders at once", n)
	}
}

func namesApart(s *space) {
	a, b := s.node(), s.node()
	names := []string{"a", "A", "a{b}", "a%7Bb%7D", "a\nb", "a\x00b", "{}", "a b", "\xff", "ü", strings.Repeat("x", lock.MaxName)}
	for _, name := range names {
		s.take(a, name, lock.Request{})
	}
	for _, name := range names {
		if !s.held(b, name) {
			s.Errorf("%q is free although it was taken", name)
		}
	}
	if s.held(b, "another") {
		s.Error("a name that nobody took is held")
	}
}

func tryHeld(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	for _, node := range []lock.Locker{a, b} {
		began := time.Now()
		_, err := node.TryAcquire(s.ctx, name, lock.Request{})
		s.is(err, lock.ErrHeld)
		if took := time.Since(began); took > soon {
			s.Errorf("a try took %v", took)
		}
	}
	s.release(lease)
	if s.held(b, name) || s.held(a, name) {
		s.Error("held after the release")
	}
}

func tryDoesNotOvertake(s *space) {
	a, b, c := s.node(), s.node(), s.node()
	// The holder goes without a word, so that the name is free while b waits.
	s.take(a, name, lock.Request{NoRenew: true})
	w := s.wait(b, name, lock.Request{TTL: time.Minute})
	s.waiters(a, 1)
	stop := time.Now().Add(2 * ttl)
	for time.Now().Before(stop) {
		if lease, err := c.TryAcquire(s.ctx, name, lock.Request{}); err == nil {
			s.release(lease)
			s.Fatal("a try overtook a waiter")
		}
		time.Sleep(ttl / 100)
	}
	s.release(s.get(w, patience))
}

func fenceRises(s *space) {
	a, b := s.node(), s.node()
	last := uint64(0)
	check := func(lease *lock.Lease) {
		s.Helper()
		if lease.Fence() <= last {
			s.Errorf("fence %d after %d", lease.Fence(), last)
		}
		last = lease.Fence()
	}
	for range 3 {
		for _, node := range []lock.Locker{a, b} {
			lease := s.take(node, name, lock.Request{})
			w := s.wait(node, name, lock.Request{}) // a turn in the same process
			time.Sleep(ttl / 100)
			check(lease)
			s.release(lease)
			lease = s.get(w, patience)
			check(lease)
			s.release(lease)
		}
	}
	check(s.take(a, name, lock.Request{NoRenew: true}))
	s.backend.Elapse(ttl + ttl/10)
	check(s.take(b, name, lock.Request{}))
}

func releaseOnce(s *space) {
	a, b := s.node(), s.node()
	first := s.take(a, name, lock.Request{})
	s.release(first)
	s.is(first.Release(s.ctx), lock.ErrReleased)
	s.ended(first.Context(), soon, lock.ErrReleased)
	second := s.take(b, name, lock.Request{})
	s.is(first.Release(s.ctx), lock.ErrReleased)
	s.is(first.Extend(s.ctx, time.Minute), lock.ErrReleased)
	if !s.held(a, name) {
		s.Error("the second release of the first holder released the second")
	}
	s.release(second)
}

func badInput(s *space) {
	a, b := s.node(), s.node()
	bad := []struct {
		name string
		o    lock.Request
		want error
	}{
		{"", lock.Request{}, lock.ErrInvalidName},
		{strings.Repeat("x", lock.MaxName+1), lock.Request{}, lock.ErrInvalidName},
		{name, lock.Request{TTL: lock.MinTTL - 1}, lock.ErrInvalidTTL},
		{name, lock.Request{TTL: -time.Second}, lock.ErrInvalidTTL},
		{name, lock.Request{TTL: lock.MinTTLNoRenew - 1, NoRenew: true}, lock.ErrInvalidTTL},
		{name, lock.Request{MaxHold: -1}, lock.ErrInvalidOptions},
		{name, lock.Request{Replicas: -1}, lock.ErrInvalidOptions},
		{name, lock.Request{Permits: -1}, lock.ErrInvalidOptions},
	}
	for _, request := range bad {
		_, err := a.Acquire(s.ctx, request.name, request.o)
		s.is(err, request.want)
		_, err = a.TryAcquire(s.ctx, request.name, request.o)
		s.is(err, request.want)
	}
	_, err := a.Inspect(s.ctx, "")
	s.is(err, lock.ErrInvalidName)
	if s.held(b, name) {
		s.Error("a refused request took the name")
	}
	lease := s.take(a, name, lock.Request{})
	s.is(lease.Extend(s.ctx, 0), lock.ErrInvalidTTL)
	s.is(lease.Extend(s.ctx, time.Millisecond), lock.ErrInvalidTTL)
	s.release(lease)
}
