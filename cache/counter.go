package cache

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Counter counts by key. All methods are safe for concurrent use.
type Counter interface {
	// Add adds delta to the counter of key and returns its value, and for how
	// long it still counts. The first Add of a key begins its time: ttl, at
	// least a millisecond, or Forever. Later ones do not change it; when it is
	// over the counter is gone and the next Add begins anew. An Add that would
	// leave the range of int64 reports ErrOverflow and changes nothing.
	Add(ctx context.Context, key string, delta int64, ttl time.Duration) (Count, error)
	// Get returns the counter of key; the zero Count if there is none.
	Get(ctx context.Context, key string) (Count, error)
	// Reset removes the counter of key. It reports whether there was one.
	Reset(ctx context.Context, key string) (bool, error)
}

// Count is the state of a counter.
type Count struct {
	Value int64
	// Expires is the time that it still counts, or Forever.
	Expires time.Duration
}

var _ Counter = (*MemoryCounter)(nil)

// MemoryCounter is a Counter whose scope is the process.
type MemoryCounter struct {
	mu     sync.Mutex
	counts map[string]memCount
	sweep  int // adds until expired counters are removed
}

type memCount struct {
	value int64
	until time.Time // zero: for ever
}

// NewMemoryCounter returns a MemoryCounter at zero.
func NewMemoryCounter() *MemoryCounter {
	return &MemoryCounter{counts: make(map[string]memCount)}
}

// Add implements Counter.
func (m *MemoryCounter) Add(_ context.Context, key string, delta int64, ttl time.Duration) (Count, error) {
	if err := CheckCount(key, ttl); err != nil {
		return Count{}, opError("add", key, err)
	}
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sweepAt(now)
	c, ok := m.counts[key]
	if !ok || c.over(now) {
		c = memCount{}
		if ttl != Forever {
			c.until = now.Add(ttl)
		}
	}
	sum := c.value + delta
	if (sum > c.value) != (delta > 0) && delta != 0 {
		return Count{}, opError("add", key, ErrOverflow)
	}
	c.value = sum
	m.counts[key] = c
	return c.count(now), nil
}

// Get implements Counter.
func (m *MemoryCounter) Get(_ context.Context, key string) (Count, error) {
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.counts[key]
	if !ok || c.over(now) {
		return Count{}, nil
	}
	return c.count(now), nil
}

// Reset implements Counter.
func (m *MemoryCounter) Reset(_ context.Context, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.counts[key]
	delete(m.counts, key)
	return ok && !c.over(time.Now()), nil
}

// sweepAt removes expired counters once per as many Adds as there are counters.
func (m *MemoryCounter) sweepAt(now time.Time) {
	if m.sweep--; m.sweep > 0 {
		return
	}
	for key, c := range m.counts {
		if c.over(now) {
			delete(m.counts, key)
		}
	}
	m.sweep = len(m.counts) + 1000
}

func (c memCount) over(now time.Time) bool { return !c.until.IsZero() && !now.Before(c.until) }

func (c memCount) count(now time.Time) Count {
	if c.until.IsZero() {
		return Count{Value: c.value, Expires: Forever}
	}
	return Count{Value: c.value, Expires: c.until.Sub(now)}
}

// CheckCount reports why a Counter must refuse to add under key for ttl, or nil.
func CheckCount(key string, ttl time.Duration) error {
	if ttl < time.Millisecond {
		return fmt.Errorf("ttl is %v, want at least 1ms, or Forever", ttl)
	}
	return checkName(key)
}
