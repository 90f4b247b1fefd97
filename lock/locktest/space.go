package locktest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// name is what most cases lock.
const name = "one"

// ttl is short enough for a suite in real time and long enough for a busy
// machine.
const ttl = 600 * time.Millisecond

// patience bounds what should happen soon; soon is what a poll cannot reach.
const (
	patience = 10 * time.Second
	soon     = 2 * time.Second
)

// space is one lock space under test with the Lockers made in it.
type space struct {
	testing.TB
	backend Backend
	ctx     context.Context // of the case
}

func newSpace(t testing.TB, b Backend) *space {
	if b.Elapse == nil {
		b.Elapse = time.Sleep
	}
	if b.Locker == nil {
		b.Locker = lock.New
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return &space{TB: t, backend: b, ctx: ctx}
}

// node returns the Locker of one more process, closed at the end of the case.
func (s *space) node(c ...lock.Options) lock.Locker {
	s.Helper()
	l, err := s.backend.Locker(s.backend.New(s.TB), append(c, lock.Options{})[0])
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = l.Close(ctx)
	})
	return l
}

// take acquires name or fails the case.
func (s *space) take(l lock.Locker, name string, o lock.Request) *lock.Lease {
	s.Helper()
	if o.TTL == 0 {
		o.TTL = ttl
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	lease, err := l.Acquire(ctx, name, o)
	if err != nil {
		s.Fatalf("acquire %q: %v", name, err)
	}
	return lease
}

// held reports whether a try on name finds it taken.
func (s *space) held(l lock.Locker, name string) bool {
	s.Helper()
	lease, err := l.TryAcquire(s.ctx, name, lock.Request{TTL: ttl})
	if err == nil {
		s.release(lease)
		return false
	}
	s.is(err, lock.ErrHeld)
	return true
}

func (s *space) release(lease *lock.Lease) {
	s.Helper()
	if err := lease.Release(s.ctx); err != nil {
		s.Errorf("release: %v", err)
	}
}

// is fails the case unless err is each of want.
func (s *space) is(err error, want ...error) {
	s.Helper()
	for _, w := range want {
		if !errors.Is(err, w) {
			s.Errorf("got error %v, want %v", err, w)
		}
	}
}

// eventually waits until done is true.
func (s *space) eventually(limit time.Duration, what string, done func() bool) {
	s.Helper()
	for end := time.Now().Add(limit); !done(); {
		if time.Now().After(end) {
			s.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(time.Millisecond)
	}
}

// waiters waits until n processes wait for name.
func (s *space) waiters(l lock.Locker, n int) {
	s.Helper()
	s.eventually(patience, "processes in the queue", func() bool {
		info, err := l.Inspect(s.ctx, name)
		return err == nil && info.Waiters == n
	})
}

// ended waits for the end of ctx and checks its cause.
func (s *space) ended(ctx context.Context, limit time.Duration, cause error) {
	s.Helper()
	select {
	case <-ctx.Done():
		s.is(context.Cause(ctx), cause)
	case <-time.After(limit):
		s.Fatalf("the context has not ended within %v", limit)
	}
}

// waiting is an Acquire that runs on a goroutine of its own.
type waiting struct {
	lease chan *lock.Lease
	err   chan error
	end   context.CancelFunc
}

// wait starts an Acquire.
func (s *space) wait(l lock.Locker, name string, o lock.Request) *waiting {
	if o.TTL == 0 {
		o.TTL = ttl
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	w := &waiting{lease: make(chan *lock.Lease, 1), err: make(chan error, 1), end: cancel}
	s.Cleanup(cancel)
	go func() { // ends with ctx
		lease, err := l.Acquire(ctx, name, o)
		if err != nil {
			w.err <- err
			return
		}
		w.lease <- lease
	}()
	return w
}

// get waits until w has its lease.
func (s *space) get(w *waiting, limit time.Duration) *lock.Lease {
	s.Helper()
	select {
	case lease := <-w.lease:
		return lease
	case err := <-w.err:
		s.Fatalf("acquire: %v", err)
	case <-time.After(limit):
		s.Fatalf("no lease within %v", limit)
	}
	return nil
}

// quiet fails the case if w ends within d.
func (s *space) quiet(w *waiting, d time.Duration) {
	s.Helper()
	select {
	case <-w.lease:
		s.Fatal("was granted a name that another has")
	case err := <-w.err:
		s.Fatalf("stopped waiting: %v", err)
	case <-time.After(d):
	}
}
