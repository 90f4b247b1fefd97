package locktest

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// manyTurns has more turns inside one process than one fence of a backend has room
// for.
func manyTurns(s *space) {
	const turns = 1100
	a := s.node()
	var taken atomic.Int32
	var last atomic.Pointer[lock.Lease]
	turn := func() (more bool) {
		lease := s.take(a, name, lock.Request{TTL: 10 * ttl})
		defer s.release(lease)
		before := last.Swap(lease)
		if before == nil {
			return true
		}
		if lease.Fence() <= before.Fence() {
			s.Errorf("fence %d after %d", lease.Fence(), before.Fence())
			return false
		}
		if taken.Add(1)%100 == 0 {
			s.is(context.Cause(before.Context()), lock.ErrReleased)
			s.is(before.Release(s.ctx), lock.ErrReleased)
			s.is(before.Extend(s.ctx, time.Minute), lock.ErrReleased)
		}
		return taken.Load() < turns
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			for turn() {
			}
		})
	}
	all.Wait()
}

// handedOverWhole lets a lease with little time left pass to a waiter in the same
// process and to one in another that has waited for long.
func handedOverWhole(s *space) {
	a, b := s.node(), s.node()
	for _, next := range []lock.Locker{a, b} {
		lease := s.take(a, name, lock.Request{NoRenew: true, TTL: 2 * ttl})
		w := s.wait(next, name, lock.Request{NoRenew: true, TTL: 3 * ttl})
		s.backend.Elapse(ttl)
		s.release(lease)
		got := s.get(w, patience)
		left := time.Until(got.Deadline())
		info, err := b.Inspect(s.ctx, name)
		if err != nil || left < ttl || left > 3*ttl || info.TTL < left-ttl/2 {
			s.Errorf("a lease for %v begins with %v, its grant with %v, %v", 3*ttl, left, info.TTL, err)
		}
		s.release(got)
	}
}
