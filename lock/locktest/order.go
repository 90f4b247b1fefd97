package locktest

import (
	"context"
	"sync"
	"time"

	"github.com/cohort-go/cohort/lock"
)

func localOrder(s *space) {
	a := s.node()
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	const waiters = 12
	order := make(chan int, waiters)
	var all sync.WaitGroup
	for i := range waiters {
		all.Go(func() {
			lease, err := a.Acquire(s.ctx, name, lock.Request{TTL: time.Minute})
			if err != nil {
				s.Errorf("acquire: %v", err)
				return
			}
			order <- i
			s.release(lease)
		})
		time.Sleep(2 * time.Millisecond)
	}
	s.release(lease)
	all.Wait()
	for want := range waiters {
		if got := <-order; got != want {
			s.Fatalf("turn %d went to waiter %d", want, got)
		}
	}
}

func processOrder(s *space) {
	first := s.node()
	lease := s.take(first, name, lock.Request{TTL: time.Minute})
	var waiters []*waiting
	for i := range 5 {
		waiters = append(waiters, s.wait(s.node(), name, lock.Request{TTL: time.Minute}))
		s.waiters(first, i+1)
	}
	s.release(lease)
	for i, w := range waiters {
		lease := s.get(w, soon)
		for _, later := range waiters[i+1:] {
			s.quiet(later, time.Millisecond)
		}
		s.release(lease)
	}
}

func turnsPass(s *space) {
	const batch = 3
	a, b := s.node(lock.Options{LocalBatch: batch}), s.node()
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	var mu sync.Mutex
	turns, served := 0, false
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				lease, err := a.Acquire(ctx, name, lock.Request{TTL: time.Minute})
				if err != nil {
					return
				}
				mu.Lock()
				if !served {
					turns++
				}
				mu.Unlock()
				s.release(lease)
				time.Sleep(100 * time.Microsecond)
			}
		})
	}
	time.Sleep(ttl / 20)
	w := s.wait(b, name, lock.Request{TTL: time.Minute})
	s.waiters(b, 1)
	time.Sleep(ttl / 20) // the holder hears of it
	s.release(lease)
	other := s.get(w, soon)
	mu.Lock()
	served = true
	if turns > batch {
		s.Errorf("another process waited for %d turns, LocalBatch is %d", turns, batch)
	}
	mu.Unlock()
	s.release(other)
	cancel()
	all.Wait()
}

func releaseWakes(s *space) {
	a, b := s.node(), s.node()
	for range 3 {
		lease := s.take(a, name, lock.Request{TTL: time.Minute})
		w := s.wait(b, name, lock.Request{TTL: time.Minute})
		s.waiters(a, 1)
		s.release(lease)
		s.release(s.get(w, soon))
	}
}

func waitEnds(s *space) {
	a, b, c := s.node(), s.node(), s.node()
	lease := s.take(a, name, lock.Request{})
	for _, node := range []lock.Locker{a, b} {
		ctx, cancel := context.WithTimeout(s.ctx, ttl/2)
		began := time.Now()
		_, err := node.Acquire(ctx, name, lock.Request{TTL: time.Minute})
		cancel()
		s.is(err, lock.ErrHeld, context.DeadlineExceeded)
		if took := time.Since(began); took > ttl/2+soon {
			s.Errorf("a wait of %v took %v", ttl/2, took)
		}
	}
	s.eventually(patience, "the queue is empty", func() bool {
		info, err := a.Inspect(s.ctx, name)
		return err == nil && info.Waiters == 0
	})
	s.release(lease)
	if s.held(c, name) {
		s.Error("a wait that ended took the name")
	}
}

// deadWaiterSkipped has a holder release, and one go without a word, while only the
// dead wait, and then somebody else.
func deadWaiterSkipped(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	s.deadWaiters()
	w := s.wait(b, name, lock.Request{TTL: time.Minute})
	s.waiters(a, 4)
	s.release(lease)
	s.release(s.get(w, soon+3*s.backend.DeadWaiter))

	s.take(a, name, lock.Request{NoRenew: true})
	s.deadWaiters()
	s.backend.Elapse(ttl)
	s.eventually(soon+3*s.backend.DeadWaiter, "a try after the dead", func() bool { return !s.held(b, name) })
	if info, err := b.Inspect(s.ctx, name); err != nil || info.Waiters != 0 {
		s.Errorf("the dead still wait: %+v, %v", info, err)
	}
}

// deadWaiters puts three processes into the queue that then die.
func (s *space) deadWaiters() {
	s.Helper()
	for range 3 {
		dead := s.raw()
		if r, err := dead.Acquire(s.ctx, dead.claim(time.Minute), true); err != nil || r.State != lock.Held {
			s.Fatalf("queue: %+v, %v", r, err)
		}
		if err := dead.Close(s.ctx); err != nil {
			s.Fatal(err)
		}
	}
}

func inspect(s *space) {
	a, b := s.node(), s.node()
	info, err := a.Inspect(s.ctx, name)
	if err != nil || info.Held || info.Waiters != 0 {
		s.Errorf("a free name: %+v, %v", info, err)
	}
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	s.wait(b, name, lock.Request{})
	s.waiters(b, 1)
	info, err = b.Inspect(s.ctx, name)
	if err != nil || !info.Held || info.Owner != lease.Token() || info.Fence != lease.Fence() ||
		info.TTL <= 50*time.Second || info.TTL > time.Minute {
		s.Errorf("a held name: %+v, %v; token %s fence %d", info, err, lease.Token(), lease.Fence())
	}
}
