package queue

import (
	"context"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Memory is a Queue whose scope is the process. With MemoryOptions.Snapshot its
// messages survive a restart.
type Memory struct {
	Queue
	Inspector
	Controller
	store *MemoryStore
}

// NewMemory returns a Queue of this process. It does I/O only for
// MemoryOptions.Snapshot. Whoever shares the queue shares the *Memory.
func NewMemory(name string, opts MemoryOptions) (*Memory, error) {
	store, err := NewMemoryStore(opts)
	if err != nil {
		return nil, err
	}
	q, err := New(name, store, opts.Options)
	if err != nil {
		_ = store.Close(context.Background()) // the error of New is the one to know
		return nil, err
	}
	m := &Memory{Queue: q, store: store}
	m.Inspector, _ = q.(Inspector)
	m.Controller, _ = q.(Controller)
	return m, nil
}

// Pending is the number of messages that are ready, delayed or in flight.
func (m *Memory) Pending() int { return m.store.pending() }

// Drain waits until nothing is pending any more: everything was handled,
// retries and delayed messages too. Dead messages do not count. It needs a
// Consumer and is made for tests.
func (m *Memory) Drain(ctx context.Context) error {
	for m.Pending() > 0 {
		if err := backoff.Sleep(ctx, time.Millisecond); err != nil {
			return &OpError{Op: "drain", Queue: "memory", Err: fmt.Errorf("%w with %d pending", err, m.Pending())}
		}
	}
	return nil
}
