package lock

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// A library opens one node.
type library struct {
	name string
	open func(url string) (node, error)
}

// A node takes locks.
type node interface {
	lock(ctx context.Context, name string) (unlock func() error, err error)
	close()
}

// open opens a node of the library that is called name.
func open(name, url string) (node, error) {
	for _, l := range libraries() {
		if l.name == name {
			return l.open(url)
		}
	}
	return nil, fmt.Errorf("no library %q", name)
}

// A workload is who takes which lock for how long.
type workload struct {
	nodes, goroutines int // several nodes are as many processes
	section           time.Duration
	apart             bool // a name for each goroutine
}

func (l library) workload(w workload) func(context.Context, *frame.Env) (frame.Cell, error) {
	if w.nodes > 1 {
		return func(_ context.Context, env *frame.Env) (frame.Cell, error) {
			p, err := openProcesses(w, task{Library: l.name, URL: env.RedisURL, Name: l.name})
			if err != nil {
				return frame.Cell{}, err
			}
			return frame.Cell{Run: p.run, Close: p.close}, nil
		}
	}
	return func(_ context.Context, env *frame.Env) (frame.Cell, error) {
		n, err := l.open(env.RedisURL)
		if err != nil {
			return frame.Cell{}, err
		}
		run := func(ctx context.Context, turns int, m *frame.Meter) error {
			r := race{workload: w, name: l.name, counters: new(counters)}
			r.left.Store(int64(turns))
			stints, err := r.run(ctx, n)
			if !w.apart {
				report(stints, m)
			}
			return err
		}
		return frame.Cell{Run: run, Close: n.close}, nil
	}
}

// A stint is what one goroutine did in a round.
type stint struct {
	Turns int
	Waits []time.Duration // from the call of unlock to the return of the next lock
}

// report gives m what the goroutines did.
func report(stints []stint, m *frame.Meter) {
	least, most := stints[0].Turns, 0
	for _, s := range stints {
		least, most = min(least, s.Turns), max(most, s.Turns)
		for _, d := range s.Waits {
			m.Observe(d)
		}
	}
	m.Metric("max/min turns", float64(most)/max(float64(least), 0.5))
}

// A race is one round of a workload, or this process's part of it.
type race struct {
	workload
	*counters
	name string
}

// run lets all goroutines take turns until none are left.
func (r *race) run(ctx context.Context, n node) ([]stint, error) {
	stints, errs := make([]stint, r.goroutines), make([]error, r.goroutines)
	var all sync.WaitGroup
	for i := range r.goroutines {
		all.Go(func() { stints[i], errs[i] = r.work(ctx, n, i) })
	}
	all.Wait()
	return stints, errors.Join(errs...)
}

// work takes locks until the race is over.
func (r *race) work(ctx context.Context, n node, worker int) (s stint, err error) {
	name := r.name
	if r.apart {
		name += strconv.Itoa(worker)
	}
	s.Waits = make([]time.Duration, 0, 1024)
	for r.left.Add(-1) >= 0 {
		called := time.Now().UnixNano()
		unlock, err := n.lock(ctx, name)
		if err != nil {
			return s, err
		}
		if free := r.unlocked.Load(); !r.apart && free > called {
			s.Waits = append(s.Waits, time.Duration(time.Now().UnixNano()-free))
		}
		spin(r.section)
		r.unlocked.Store(time.Now().UnixNano())
		if err := unlock(); err != nil {
			return s, err
		}
		s.Turns++
	}
	return s, nil
}

// spin computes for d.
func spin(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
	}
}
