package lock

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
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

// A workload is who takes which lock for how long.
type workload struct {
	nodes, goroutines int
	section           time.Duration
	apart             bool // a name for each goroutine
}

func (l library) workload(w workload) func(context.Context, *frame.Env) (frame.Cell, error) {
	return func(_ context.Context, env *frame.Env) (frame.Cell, error) {
		nodes := make([]node, 0, w.nodes)
		closeAll := func() {
			for _, n := range nodes {
				n.close()
			}
		}
		for range w.nodes {
			n, err := l.open(env.RedisURL)
			if err != nil {
				closeAll()
				return frame.Cell{}, err
			}
			nodes = append(nodes, n)
		}
		run := func(ctx context.Context, n int, m *frame.Meter) error { return w.run(ctx, l.name, nodes, n, m) }
		return frame.Cell{Run: run, Close: closeAll}, nil
	}
}

// run takes n locks, as many goroutines as there are taking turns.
func (w workload) run(ctx context.Context, name string, nodes []node, n int, m *frame.Meter) error {
	r := &race{workload: w, name: name, meter: m}
	r.left.Store(int64(n))
	workers := w.nodes * w.goroutines
	turns, errs := make([]int, workers), make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { turns[i], errs[i] = r.work(ctx, nodes[i%w.nodes], i) })
	}
	all.Wait()
	if !w.apart {
		least, most := turns[0], turns[0]
		for _, t := range turns {
			least, most = min(least, t), max(most, t)
		}
		m.Metric("max/min turns", float64(most)/max(float64(least), 0.5))
	}
	return errors.Join(errs...)
}

// A race is one round of a workload.
type race struct {
	workload
	name     string
	meter    *frame.Meter
	left     atomic.Int64
	unlocked atomic.Int64 // when the last unlock was called, ns since the start of the process
}

// epoch is what unlock times count from.
var epoch = time.Now()

// work takes locks until the race is over.
func (r *race) work(ctx context.Context, n node, worker int) (turns int, err error) {
	name := r.name
	if r.apart {
		name += strconv.Itoa(worker)
	}
	waits := make([]time.Duration, 0, 1024)
	for r.left.Add(-1) >= 0 {
		called := time.Since(epoch)
		unlock, err := n.lock(ctx, name)
		if err != nil {
			return turns, err
		}
		if free := time.Duration(r.unlocked.Load()); !r.apart && free > called {
			waits = append(waits, time.Since(epoch)-free)
		}
		spin(r.section)
		r.unlocked.Store(int64(time.Since(epoch)))
		if err := unlock(); err != nil {
			return turns, err
		}
		turns++
	}
	for _, d := range waits {
		r.meter.Observe(d)
	}
	return turns, nil
}

// spin computes for d.
func spin(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
	}
}
