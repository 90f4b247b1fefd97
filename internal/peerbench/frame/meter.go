package frame

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Meter takes what one round of one contender says about itself. Its methods are
// safe for concurrent use.
type Meter struct {
	begin   time.Time
	mallocs uint64
	others  atomic.Uint64 // allocations of other processes

	mu        sync.Mutex
	latencies []time.Duration
	metrics   map[string]float64
}

// Restart forgets the time and the allocations so far: the work before it was
// preparation.
func (m *Meter) Restart() {
	m.mallocs = Mallocs()
	m.begin = time.Now()
}

// Observe adds the latency of one operation; the table shows "p50 ms" and
// "p99 ms".
func (m *Meter) Observe(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latencies = append(m.latencies, d)
}

// Metric sets a figure of the round that the table shows under name.
func (m *Meter) Metric(name string, value float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.metrics[name] = value
}

// Names of the metrics that the frame measures itself.
const (
	timeMetric    = "ns/op"
	allocsMetric  = "allocs/op"
	cpuMetric     = "Redis CPU µs/op"
	commandMetric = "commands/op"
	scriptMetric  = "calls in scripts/op"
	p50Metric     = "p50 ms"
	p99Metric     = "p99 ms"
)

func newMeter() *Meter {
	m := &Meter{metrics: map[string]float64{}}
	m.Restart()
	return m
}

// finish adds the frame's own metrics for n operations.
func (m *Meter) finish(n int) (elapsed time.Duration) {
	elapsed = time.Since(m.begin)
	allocs := Mallocs() - m.mallocs + m.others.Load()
	m.metrics[timeMetric] = float64(elapsed.Nanoseconds()) / float64(n)
	m.metrics[allocsMetric] = float64(allocs) / float64(n)
	if len(m.latencies) > 0 {
		slices.Sort(m.latencies)
		at := func(part float64) float64 {
			return m.latencies[int(part*float64(len(m.latencies)-1))].Seconds() * 1000
		}
		m.metrics[p50Metric], m.metrics[p99Metric] = at(0.50), at(0.99)
	}
	return elapsed
}

// AddMallocs adds what other processes have allocated for the contender.
func (m *Meter) AddMallocs(n uint64) { m.others.Add(n) }

// Mallocs is how many objects this process has allocated.
func Mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}
