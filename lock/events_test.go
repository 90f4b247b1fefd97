package lock_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// interrupted is a backend whose events may have got lost between what a request
// did and its answer: the first that must wait loses its place by that.
type interrupted struct {
	lock.Backend
	events lock.Events
	asked  atomic.Int32
}

func (b *interrupted) Start(process string, e lock.Events) error {
	b.events = e
	return b.Backend.Start(process, e)
}

func (b *interrupted) Acquire(ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
	r, err := b.Backend.Acquire(ctx, c, wait)
	if b.asked.Add(1) == 1 {
		if _, err := b.Release(ctx, c); err != nil {
			return r, err
		}
		b.events.Missed()
	}
	return r, err
}

// Who is told that events were lost while it asked, asks again.
func TestMissedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		space := lock.NewSpace()
		b := &interrupted{Backend: space.Backend()}
		holder, waiter := newLocker(t, space.Backend()), newLocker(t, b)
		lease, err := holder.Acquire(t.Context(), "one", lock.Request{TTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { // ends with the test
			lease, err := waiter.Acquire(t.Context(), "one", lock.Request{})
			if err == nil {
				err = lease.Release(t.Context())
			}
			done <- err
		}()
		synctest.Wait()
		began := time.Now()
		if err := lease.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil || time.Since(began) > 0 {
			t.Errorf("granted after %v, %v", time.Since(began), err)
		}
		if n := b.asked.Load(); n != 2 {
			t.Errorf("asked %d times", n)
		}
	})
}

// overtaken is a backend whose first answer is overtaken by what happens after it.
type overtaken struct {
	lock.Backend
	then func()
}

func (b *overtaken) Acquire(ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
	r, err := b.Backend.Acquire(ctx, c, wait)
	if then := b.then; then != nil {
		b.then = nil
		then()
	}
	return r, err
}

// An answer that nobody waits does not undo the event that somebody does since.
func TestContendedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		space := lock.NewSpace()
		b := &overtaken{Backend: space.Backend()}
		a, other := newLocker(t, b), newLocker(t, space.Backend())
		got := make(chan time.Time, 1)
		b.then = func() {
			go func() { // ends with its turn
				if lease, err := other.Acquire(t.Context(), "one", lock.Request{TTL: time.Hour}); err == nil {
					got <- time.Now()
					_ = lease.Release(t.Context())
				}
			}()
			synctest.Wait()
		}
		lease, err := a.Acquire(t.Context(), "one", lock.Request{TTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for {
					lease, err := a.Acquire(ctx, "one", lock.Request{TTL: time.Hour})
					if err != nil {
						return
					}
					time.Sleep(time.Millisecond)
					_ = lease.Release(ctx)
				}
			})
		}
		synctest.Wait()
		if err := lease.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := (<-got).Sub(began); took > 20*time.Millisecond {
			t.Errorf("the other process had its turn after %v", took)
		}
		stop()
		all.Wait()
	})
}

func newLocker(t *testing.T, b lock.Backend) lock.Locker {
	t.Helper()
	l, err := lock.New(b, lock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close(context.Background()) })
	return l
}
