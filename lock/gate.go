package lock

import (
	"fmt"
	"sync"
)

// A FenceGate stands before a resource and refuses holders of a lock that were
// overtaken: it lets a fence in only if it has seen no larger one. This one is
// for resources in memory; the zero value is ready, and its methods are safe for
// concurrent use. Its check is atomic with the write only if both happen under
// [FenceGate.Do].
//
// Package lockredis has one for values in Redis. In SQL the row carries the
// fence, and the write itself is the check:
//
//	UPDATE account SET balance = $1, fence = $2 WHERE id = $3 AND fence <= $2
//
// No row changed means that a later holder has written: the work is stale and
// must be given up.
type FenceGate struct {
	mu   sync.Mutex
	seen map[string]uint64
}

// Check reports ErrStale if resource has seen a fence larger than this one, and
// else remembers it.
func (g *FenceGate) Check(resource string, fence uint64) error {
	return g.Do(resource, fence, func() error { return nil })
}

// Do is Check followed by write, with no other fence let in between.
func (g *FenceGate) Do(resource string, fence uint64, write func() error) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seen := g.seen[resource]; fence < seen {
		return fmt.Errorf("%w: %d, %s has seen %d", ErrStale, fence, resource, seen)
	}
	if g.seen == nil {
		g.seen = make(map[string]uint64)
	}
	g.seen[resource] = fence
	return write()
}
