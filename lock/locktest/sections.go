package locktest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/lock"
)

type key struct{}

func contextValues(s *space) {
	a := s.node()
	ctx, cancel := context.WithCancel(context.WithValue(s.ctx, key{}, "value"))
	lease, err := a.Acquire(ctx, name, lock.Request{TTL: ttl})
	if err != nil {
		s.Fatal(err)
	}
	cancel()
	if v := lease.Context().Value(key{}); v != "value" {
		s.Errorf("the value of ctx is %v", v)
	}
	if err := lease.Context().Err(); err != nil {
		s.Errorf("the end of Acquire's ctx ended the lease: %v", err)
	}
	s.release(lease)
	s.ended(lease.Context(), soon, lock.ErrReleased)
}

func releaseAfterCancel(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := lease.Release(ctx); err != nil {
		s.Errorf("release: %v", err)
	}
	if s.held(b, name) {
		s.Error("held after its release")
	}
}

func closeGivesBack(s *space) {
	a, b := s.node(), s.node()
	lease := s.take(a, name, lock.Request{TTL: time.Minute})
	other := s.take(b, "two", lock.Request{TTL: time.Minute})
	w := s.wait(a, "two", lock.Request{TTL: time.Minute})
	time.Sleep(ttl / 10)
	if err := a.Close(s.ctx); err != nil {
		s.Errorf("close: %v", err)
	}
	s.ended(lease.Context(), soon, lock.ErrLost)
	s.ended(lease.Context(), soon, lock.ErrClosed)
	select {
	case err := <-w.err:
		s.is(err, lock.ErrClosed)
	case <-time.After(soon):
		s.Fatal("Close left a waiter")
	}
	if s.held(b, name) {
		s.Error("Close kept a lock")
	}
	s.release(other)
	if s.held(b, "two") {
		s.Error("Close left a place in a queue")
	}
	_, err := a.Acquire(s.ctx, name, lock.Request{})
	s.is(err, lock.ErrClosed)
	_, err = a.TryAcquire(s.ctx, name, lock.Request{})
	s.is(err, lock.ErrClosed)
	_, err = a.Inspect(s.ctx, name)
	s.is(err, lock.ErrClosed)
	s.is(lease.Release(s.ctx), lock.ErrLost)
	if err := a.Close(s.ctx); err != nil {
		s.Errorf("second close: %v", err)
	}
}

func do(s *space) {
	a, b := s.node(), s.node()
	failure := errors.New("section failed")
	err := lock.Do(s.ctx, a, name, lock.Request{TTL: ttl}, func(ctx context.Context, l *lock.Lease) error {
		if !s.held(b, name) || l.Fence() == 0 || ctx.Err() != nil {
			s.Error("the section does not have the lock")
		}
		return failure
	})
	s.is(err, failure)
	if errors.Is(err, lock.ErrLost) || s.held(b, name) {
		s.Errorf("after the section: %v", err)
	}
	err = lock.Do(s.ctx, a, name, lock.Request{TTL: ttl, NoRenew: true}, func(ctx context.Context, _ *lock.Lease) error {
		s.ended(ctx, ttl+soon, lock.ErrLost)
		return nil
	})
	s.is(err, lock.ErrLost)
	ctx, cancel := context.WithCancel(s.ctx)
	err = lock.Do(ctx, a, name, lock.Request{TTL: ttl}, func(ctx context.Context, _ *lock.Lease) error {
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
	s.is(err, context.Canceled)
	if s.held(b, name) {
		s.Error("held after a section whose ctx ended")
	}
}

func doPanic(s *space) {
	a, b := s.node(), s.node()
	func() {
		defer func() {
			if recover() == nil {
				s.Error("the panic of the section got lost")
			}
		}()
		_ = lock.Do(s.ctx, a, name, lock.Request{TTL: time.Minute}, func(context.Context, *lock.Lease) error {
			return errors.Join(make([]error, 0, 1)[:0][0]) // no such element
		})
	}()
	if s.held(b, name) {
		s.Error("held after a panic")
	}
}

func lead(s *space) {
	var leaders atomic.Int32
	terms := make(chan uint64, 16)
	campaign := func(ctx context.Context, node lock.Locker) <-chan error {
		end := make(chan error, 1)
		go func() { // ends with ctx
			end <- lock.Lead(ctx, node, name, lock.Request{TTL: ttl}, func(ctx context.Context, term uint64) error {
				if leaders.Add(1) > 1 {
					s.Error("two leaders")
				}
				terms <- term
				<-ctx.Done()
				leaders.Add(-1)
				return nil
			})
		}()
		return end
	}
	first, resign := context.WithCancel(s.ctx)
	defer resign()
	second, stop := context.WithCancel(s.ctx)
	defer stop()
	a, b := s.node(), s.node()
	endA := campaign(first, a)
	term := <-terms
	endB := campaign(second, b)
	time.Sleep(ttl / 10)
	resign()
	s.is(<-endA, context.Canceled)
	select {
	case next := <-terms:
		if next <= term {
			s.Errorf("term %d after %d", next, term)
		}
	case <-time.After(soon):
		s.Fatal("no new leader")
	}
	stop()
	s.is(<-endB, context.Canceled)
}

func acquireAll(s *space) {
	a, b := s.node(), s.node()
	all, err := lock.AcquireAll(s.ctx, a, lock.Request{TTL: ttl}, "two", name, "two", "three")
	if err != nil {
		s.Fatal(err)
	}
	if len(all.Leases()) != 3 || !s.held(b, name) || !s.held(b, "two") || !s.held(b, "three") {
		s.Error("not all names were taken")
	}
	if err := all.Release(s.ctx); err != nil {
		s.Errorf("release: %v", err)
	}
	s.ended(all.Context(), soon, lock.ErrReleased)
	blocker := s.take(b, "two", lock.Request{TTL: time.Minute})
	ctx, cancel := context.WithTimeout(s.ctx, ttl)
	defer cancel()
	_, err = lock.AcquireAll(ctx, a, lock.Request{TTL: time.Minute}, name, "two", "three")
	s.is(err, lock.ErrHeld)
	if s.held(b, name) || s.held(b, "three") {
		s.Error("names stay taken after a failure")
	}
	s.release(blocker)
}
