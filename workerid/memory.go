package workerid

import (
	"context"
	"sync"
	"time"
)

var _ Backend = (*Memory)(nil)

// Memory is a Backend whose scope is the process: allocators that share one
// Memory never hold a number twice. Its clock is the time package's monotonic
// one, so that testing/synctest runs hours of it in no time. The zero value is ready; it must
// not be copied.
type Memory struct {
	mu     sync.Mutex
	ledger *ledger
	clock  *clock
}

// NewMemory returns an Allocator with a Memory of its own. It promises nothing
// across restarts of the process: use a server where IDs outlive it and a restart
// can follow within a tick.
func NewMemory(opts Options) (Allocator, error) {
	opts.Fresh = true // nobody else can know the numbers of this Memory
	return New(new(Memory), opts)
}

// Acquire implements Backend.
func (m *Memory) Acquire(_ context.Context, r AcquireRequest) (Grant, error) {
	l, s := m.enter()
	defer m.mu.Unlock()
	return l.acquire(s, r)
}

// Renew implements Backend.
func (m *Memory) Renew(_ context.Context, r RenewRequest) (Grant, error) {
	l, s := m.enter()
	defer m.mu.Unlock()
	return l.renew(s, r)
}

// Release implements Backend.
func (m *Memory) Release(_ context.Context, r ReleaseRequest) error {
	l, s := m.enter()
	defer m.mu.Unlock()
	return l.release(s, r)
}

// Holders implements Backend.
func (m *Memory) Holders(context.Context) ([]Holder, error) {
	l, s := m.enter()
	defer m.mu.Unlock()
	return l.holders(s), nil
}

// Clear forgets everything, as a server that lost its data: for tests of what an
// application does then.
func (m *Memory) Clear() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.ledger = nil
}

func (m *Memory) enter() (*ledger, server) {
	m.mu.Lock()
	if m.clock == nil {
		m.clock = newClock(time.Now)
	}
	if m.ledger == nil {
		m.ledger = newLedger()
	}
	return m.ledger, server{now: m.clock.now()}
}
