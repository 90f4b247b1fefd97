// Package health keeps the state of a node for the probes of load balancers
// and Kubernetes. Checks run in the background; a reader gets the last results
// and never waits for one, whatever hangs.
package health

import (
	"context"
	"sync"
	"time"
)

// Check is one thing that a node depends on.
type Check struct {
	Name string
	// Critical makes the node unready while the check fails. Leave it false
	// for what all nodes share: when that fails, a load balancer that takes
	// all of them away makes it worse.
	Critical bool
	// Probe returns nil if all is well. It should end when ctx does; one that
	// does not is Failing until it returns, and is not started again before.
	Probe func(ctx context.Context) error
	// Local marks a Probe that only looks at memory: it runs at each read, so
	// its result is never old.
	Local bool
}

// How often checks run, and how long one may take.
const (
	Interval = 2 * time.Second
	Timeout  = time.Second
)

// Monitor holds the checks of one node. Its methods are safe for concurrent
// use. A new Monitor is Starting.
type Monitor struct {
	mu      sync.Mutex
	phase   Status // Starting, OK or Draining
	entries []*entry
}

type entry struct {
	Check
	last Result // guarded by Monitor.mu
}

// New returns a Monitor with checks. They run while [Monitor.Run] does.
func New(checks ...Check) *Monitor {
	m := &Monitor{phase: Starting}
	for _, c := range checks {
		m.entries = append(m.entries, &entry{
			Check: c,
			last:  Result{Status: Unknown, Since: time.Now(), Critical: c.Critical},
		})
	}
	return m
}

// Started says that the node serves from now on. It does nothing after
// [Monitor.Drain].
func (m *Monitor) Started() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.phase == Starting {
		m.phase = OK
	}
}

// Drain says that the node ends: it is unready from now on.
func (m *Monitor) Drain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.phase = Draining
}

// Run runs the checks until ctx ends. A Probe that ignores its context
// outlives Run.
func (m *Monitor) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, e := range m.entries {
		if !e.Local {
			wg.Go(func() { m.watch(ctx, e) })
		}
	}
}

func (m *Monitor) watch(ctx context.Context, e *entry) {
	tick := time.NewTicker(Interval)
	defer tick.Stop()
	for {
		m.runOnce(ctx, e)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// runOnce runs e's probe and notes its result, and notes a failure as soon as
// the probe is late. It returns when the probe did or ctx ended.
func (m *Monitor) runOnce(ctx context.Context, e *entry) {
	probing, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	start := time.Now()
	done := make(chan error, 1)
	go func() { done <- e.Probe(probing) }() // ends with the probe
	select {
	case err := <-done:
		m.note(e, err == nil, time.Since(start))
		return
	case <-probing.Done():
	}
	if ctx.Err() != nil {
		return
	}
	m.note(e, false, time.Since(start))
	select {
	case <-done: //nolint:errcheck // too late to count: the next run says how things are
	case <-ctx.Done():
	}
}

func (m *Monitor) note(e *entry, ok bool, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.note(ok, took)
}

func (e *entry) note(ok bool, took time.Duration) {
	status := Failing
	if ok {
		status = OK
	}
	if status != e.last.Status {
		e.last.Since = time.Now()
	}
	e.last.Status = status
	e.last.LatencyMS = float64(took.Microseconds()) / 1000
}

// Report returns the state now. It does not wait.
func (m *Monitor) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := Report{Status: m.phase, Checks: make(map[string]Result, len(m.entries))}
	for _, e := range m.entries {
		if e.Local {
			e.note(e.Probe(context.Background()) == nil, 0)
		}
		r.Checks[e.Name] = e.last
		if r.Status == Starting || r.Status == Draining || e.last.Status == OK {
			continue
		}
		if e.Critical {
			r.Status = Failing
		} else if r.Status == OK {
			r.Status = Degraded
		}
	}
	return r
}
