package cache

import (
	"context"
	"sync"
)

var _ Bloom = (*MemoryBloom)(nil)

// MemoryBloom is a Bloom whose scope is the process. Its answers are those of
// every other implementation, bit by bit.
type MemoryBloom struct {
	mu      sync.Mutex
	filters map[string]*memFilter
}

type memFilter struct {
	info BloomInfo
	bits []byte
}

// NewMemoryBloom returns a MemoryBloom without filters.
func NewMemoryBloom() *MemoryBloom {
	return &MemoryBloom{filters: make(map[string]*memFilter)}
}

// Reserve implements Bloom.
func (m *MemoryBloom) Reserve(_ context.Context, name string, capacity uint64, rate float64) error {
	info, err := BloomShape(capacity, rate)
	if err != nil {
		return opError("reserve", name, err)
	}
	if err := checkName(name); err != nil {
		return opError("reserve", name, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.filters[name]
	switch {
	case !ok:
		m.filters[name] = &memFilter{info: info, bits: make([]byte, info.Bits/8)}
	case f.info != info:
		return opError("reserve", name, ErrMismatch)
	}
	return nil
}

// Add implements Bloom.
func (m *MemoryBloom) Add(_ context.Context, name string, items ...string) ([]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.filters[name]
	if !ok {
		return nil, opError("add", name, ErrNotReserved)
	}
	added := make([]bool, len(items))
	for i, item := range items {
		for _, at := range f.info.Positions(nil, item) {
			mask := byte(1) << (7 - at%8)
			added[i] = added[i] || f.bits[at/8]&mask == 0
			f.bits[at/8] |= mask
		}
	}
	return added, nil
}

// Exists implements Bloom.
func (m *MemoryBloom) Exists(_ context.Context, name string, items ...string) ([]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.filters[name]
	if !ok {
		return nil, opError("exists", name, ErrNotReserved)
	}
	found := make([]bool, len(items))
	for i, item := range items {
		found[i] = true
		for _, at := range f.info.Positions(nil, item) {
			found[i] = found[i] && f.bits[at/8]&(1<<(7-at%8)) != 0
		}
	}
	return found, nil
}

// Info implements Bloom.
func (m *MemoryBloom) Info(_ context.Context, name string) (BloomInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.filters[name]
	if !ok {
		return BloomInfo{}, opError("info", name, ErrNotReserved)
	}
	return f.info, nil
}

// Drop implements Bloom.
func (m *MemoryBloom) Drop(_ context.Context, name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, ok := m.filters[name]
	delete(m.filters, name)
	return ok, nil
}
