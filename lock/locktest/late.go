package locktest

import (
	"sync"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// late is a backend whose grants become known when it is told to let them pass.
type late struct {
	lock.Backend
	lock.Events

	mu     sync.Mutex
	passes bool
	held   []lock.Grant
}

// Start implements lock.Backend.
func (l *late) Start(process string, e lock.Events) error {
	l.Events = e
	return l.Backend.Start(process, l)
}

// Granted implements lock.Events.
func (l *late) Granted(g lock.Grant) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.passes {
		l.Events.Granted(g)
		return
	}
	l.held = append(l.held, g)
}

// Missed implements lock.Events. It lets nobody ask earlier than by its own poll.
func (l *late) Missed() {}

// pass lets go what was held back, and what comes from now on.
func (l *late) pass() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.passes = true
	for _, g := range l.held {
		l.Events.Granted(g)
	}
}

// lateNews has a waiter hear of its grant when that is over, another has or had the
// name, and the waiter has asked again since.
func lateNews(s *space) {
	for _, again := range []bool{false, true} {
		const attempts = 5
		shown := false
		for i := 0; i < attempts && !shown; i++ {
			shown = lateNewsOnce(s, again)
		}
		if !shown {
			s.Errorf("in %d attempts the waiter asked before its grant was over", attempts)
		}
	}
}

// lateNewsOnce reports whether it showed anything: not so if the machine is so busy
// that the waiter asks again while its grant lasts.
func lateNewsOnce(s *space, again bool) bool {
	a, c := s.node(), s.node()
	slow := &late{Backend: s.backend.New(s.TB)}
	b, err := s.backend.Locker(slow, lock.Options{})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = b.Close(s.ctx) })
	lease := s.take(a, name, lock.Request{NoRenew: true, TTL: 3 * ttl}) // until then b does not ask again
	w := s.wait(b, name, lock.Request{TTL: ttl})
	s.waiters(a, 1)
	s.release(lease)
	third := s.wait(c, name, lock.Request{TTL: time.Minute})
	var next *lock.Lease
	select {
	case got := <-w.lease:
		s.release(got)
		s.release(s.get(third, patience))
		return false
	case next = <-third.lease:
	case <-time.After(patience):
		s.Fatal("nobody has the name")
	}
	s.waiters(c, 1) // b has asked
	if again {
		s.release(next)
		slow.pass()
	} else {
		slow.pass()
		s.quiet(w, ttl/10)
		s.release(next)
	}
	got := s.get(w, patience)
	if got.Fence() <= next.Fence() {
		s.Errorf("fence %d after %d", got.Fence(), next.Fence())
	}
	s.release(got)
	return true
}
