package locktest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/locktest"
)

// A mutant is a backend that breaks a promise by changing what passes between a
// Locker and a good backend.
type mutant struct {
	lock.Backend
	acquire func(m *mutant, ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error)
	extend  func(m *mutant, ctx context.Context, c lock.Claim) (lock.Reply, error)
	release func(m *mutant, ctx context.Context, c lock.Claim) (bool, error)
	inspect func(lock.Info) lock.Info
	list    func([]lock.Holding) []lock.Holding
	close   func(m *mutant, ctx context.Context) error
	events  func(lock.Events) lock.Events
}

func (m *mutant) Start(process string, e lock.Events) error {
	if m.events != nil {
		e = m.events(e)
	}
	return m.Backend.Start(process, e)
}

func (m *mutant) Acquire(ctx context.Context, c lock.Claim, wait bool) (lock.Reply, error) {
	if m.acquire != nil {
		return m.acquire(m, ctx, c, wait)
	}
	return m.Backend.Acquire(ctx, c, wait)
}

func (m *mutant) Extend(ctx context.Context, c lock.Claim) (lock.Reply, error) {
	if m.extend != nil {
		return m.extend(m, ctx, c)
	}
	return m.Backend.Extend(ctx, c)
}

func (m *mutant) Release(ctx context.Context, c lock.Claim) (bool, error) {
	if m.release != nil {
		return m.release(m, ctx, c)
	}
	return m.Backend.Release(ctx, c)
}

func (m *mutant) Inspect(ctx context.Context, name string) (lock.Info, error) {
	info, err := m.Backend.Inspect(ctx, name)
	if m.inspect != nil {
		info = m.inspect(info)
	}
	return info, err
}

func (m *mutant) List(ctx context.Context, limit int) ([]lock.Holding, error) {
	held, err := m.Backend.(lock.ListBackend).List(ctx, limit)
	if m.list != nil {
		held = m.list(held)
	}
	return held, err
}

func (m *mutant) Close(ctx context.Context) error {
	if m.close != nil {
		return m.close(m, ctx)
	}
	return m.Backend.Close(ctx)
}

// earful changes events.
type earful struct {
	lock.Events
	granted   func(lock.Events, lock.Grant)
	contended func(lock.Events, string)
}

func (e earful) Granted(g lock.Grant) {
	if e.granted != nil {
		e.granted(e.Events, g)
		return
	}
	e.Events.Granted(g)
}

func (e earful) Contended(token string) {
	if e.contended != nil {
		e.contended(e.Events, token)
		return
	}
	e.Events.Contended(token)
}

// TestMutants shows for each promise that its case catches a backend, or a use
// of the package, that breaks it, and prints the table.
func TestMutants(t *testing.T) {
	caught := map[string]string{}
	for _, w := range wrongs() {
		t.Run(w.name, func(t *testing.T) {
			broken := locktest.Broken(t, w.breaks, w.open)
			for _, promise := range w.breaks {
				if !slices.Contains(broken, promise) {
					t.Errorf("%s does not catch it", promise)
				}
				caught[promise] = w.name
			}
		})
	}
	for _, p := range locktest.Promises() {
		t.Logf("%-20s %-78s %s", p.Name, p.Says, caught[p.Name])
		if caught[p.Name] == "" {
			t.Errorf("no mutant breaks %s", p.Name)
		}
	}
}

// A wrong is a mutant and the promises that it breaks.
type wrong struct {
	name   string
	breaks []string
	mutant func() *mutant
	locker func(lock.Locker) lock.Locker
}

func (w wrong) open(testing.TB) locktest.Backend {
	space := lock.NewSpace()
	return locktest.Backend{
		New: func(testing.TB) lock.Backend {
			m := &mutant{}
			if w.mutant != nil {
				m = w.mutant()
			}
			m.Backend = space.Backend()
			return m
		},
		Locker: func(b lock.Backend, c lock.Options) (lock.Locker, error) {
			l, err := lock.New(b, c)
			if err == nil && w.locker != nil {
				l = w.locker(l)
			}
			return l, err
		},
	}
}
