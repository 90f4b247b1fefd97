package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Limiter lets events happen at a rate, with bursts. All methods are safe for
// concurrent use.
type Limiter interface {
	// Allow reports whether n events of key may happen now, and counts them if
	// so. n is 1 to the burst.
	Allow(ctx context.Context, key string, n int) (Allowance, error)
	// Reset forgets the events of key.
	Reset(ctx context.Context, key string) error
}

// Rate is how many events may happen, on average, per time; Burst is how many of
// them at once.
type Rate struct {
	Events int
	Per    time.Duration
	Burst  int // default: Events
}

// Allowance is the answer of a Limiter.
type Allowance struct {
	Allowed bool
	// Remaining is how many events may happen at once after this call.
	Remaining int
	// RetryAfter is when the same call can be allowed, if it was not.
	RetryAfter time.Duration
}

// Check returns the Rate with its default, or why it cannot be kept. The time
// between two events has to be a microsecond or more.
func (r Rate) Check() (Rate, error) {
	setDefault(&r.Burst, r.Events)
	if r.Events < 1 || r.Burst < 1 || r.Per <= 0 {
		return r, fmt.Errorf("rate is %d per %v with a burst of %d, want more than 0", r.Events, r.Per, r.Burst)
	}
	if r.interval() < 1 {
		return r, fmt.Errorf("rate is %d per %v, want at least 1µs per event", r.Events, r.Per)
	}
	if r.Per > 100*365*24*time.Hour || int64(r.Burst) > int64(1<<51)/r.interval() {
		return r, errors.New("rate spans more than 70 years")
	}
	return r, nil
}

// Interval is the time of one event, in whole µs.
func (r Rate) Interval() time.Duration { return time.Duration(r.interval()) * time.Microsecond }

func (r Rate) interval() int64 { return r.Per.Microseconds() / int64(max(r.Events, 1)) }

// decide is the generic cell rate algorithm, in µs: full is when the burst is free
// again, as it was kept under the key, 0 for none. It returns what to keep instead.
func (r Rate) decide(now, full int64, n int) (next int64, a Allowance) {
	t, burst := r.interval(), int64(r.Burst)
	full = max(full, now)
	next = full + int64(n)*t
	if over := next - now - burst*t; over > 0 {
		a.RetryAfter = time.Duration(over) * time.Microsecond
		a.Remaining = int((burst*t - (full - now)) / t)
		return full, a
	}
	a.Allowed = true
	a.Remaining = int((burst*t - (next - now)) / t)
	return next, a
}

// CheckEvents reports why n events of key cannot be asked for, or nil.
func (r Rate) CheckEvents(key string, n int) error {
	if n < 1 || n > r.Burst {
		return fmt.Errorf("%d events, want 1 to %d", n, r.Burst)
	}
	return checkName(key)
}

var _ Limiter = (*MemoryLimiter)(nil)

// MemoryLimiter is a Limiter whose scope is the process.
type MemoryLimiter struct {
	rate Rate

	mu    sync.Mutex
	start time.Time
	full  map[string]int64 // µs since start
	sweep int
}

// NewMemoryLimiter returns a MemoryLimiter that has seen no event.
func NewMemoryLimiter(r Rate) (*MemoryLimiter, error) {
	r, err := r.Check()
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	return &MemoryLimiter{rate: r, start: time.Now(), full: make(map[string]int64)}, nil
}

// Allow implements Limiter.
func (m *MemoryLimiter) Allow(_ context.Context, key string, n int) (Allowance, error) {
	if err := m.rate.CheckEvents(key, n); err != nil {
		return Allowance{}, opError("allow", key, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Since(m.start).Microseconds()
	m.sweepAt(now)
	next, a := m.rate.decide(now, m.full[key], n)
	if a.Allowed {
		m.full[key] = next
	}
	return a, nil
}

// Reset implements Limiter.
func (m *MemoryLimiter) Reset(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.full, key)
	return nil
}

// sweepAt forgets keys whose burst is free, once per as many calls as keys.
func (m *MemoryLimiter) sweepAt(now int64) {
	if m.sweep--; m.sweep > 0 {
		return
	}
	for key, full := range m.full {
		if full <= now {
			delete(m.full, key)
		}
	}
	m.sweep = len(m.full) + 1000
}
