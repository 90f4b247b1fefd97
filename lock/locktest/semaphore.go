package locktest

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/lock"
)

func semaphore(s *space) {
	const permits = 3
	var inside, most atomic.Int32
	var all sync.WaitGroup
	for range 3 {
		sem := lock.Semaphore{Locker: s.node(), Name: name, Permits: permits}
		for range 3 {
			all.Go(func() {
				for range 3 {
					lease, err := sem.Acquire(s.ctx, lock.Request{TTL: 10 * ttl})
					if err != nil {
						s.Errorf("acquire: %v", err)
						return
					}
					for n := inside.Add(1); n > most.Load(); {
						most.Store(n)
					}
					time.Sleep(5 * time.Millisecond)
					inside.Add(-1)
					s.release(lease)
				}
			})
		}
	}
	all.Wait()
	if n := most.Load(); n != permits {
		s.Errorf("%d holders at once, want %d", n, permits)
	}
	if s.held(s.node(), name) {
		s.Error("a semaphore takes the lock of its name")
	}
}

func semaphoreExpires(s *space) {
	a, b := s.node(), s.node()
	gone := s.raw()
	c := gone.claim(ttl)
	c.Permits = 2
	if r, err := gone.Acquire(s.ctx, c, false); err != nil || r.State != lock.Granted {
		s.Fatalf("acquire: %+v, %v", r, err)
	}
	sem := lock.Semaphore{Locker: a, Name: name, Permits: 2}
	kept, err := sem.Acquire(s.ctx, lock.Request{TTL: ttl})
	if err != nil {
		s.Fatal(err)
	}
	if _, err := sem.TryAcquire(s.ctx, lock.Request{}); err == nil {
		s.Error("a third holder of two permits")
	}
	s.backend.Elapse(ttl / 10)
	next := s.get(s.wait(b, name, lock.Request{Permits: 2}), patience)
	if kept.Context().Err() != nil {
		s.Error("the permit that is renewed was lost")
	}
	if first, second := kept.Fence(), next.Fence(); second <= first {
		s.Errorf("fence %d after %d", second, first)
	}
	s.release(next)
	s.release(kept)
}
