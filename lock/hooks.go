package lock

import (
	"context"
	"time"
)

// Hooks observe a Locker. Every field may be nil. The functions must not block.
type Hooks struct {
	// Acquired follows a grant, on the caller's goroutine; waited is the time
	// since the call.
	Acquired func(ctx context.Context, l *Lease, waited time.Duration)
	// Released follows a release, on the caller's goroutine.
	Released func(l *Lease, held time.Duration)
	// Lost follows the end of a lease that its holder did not ask for.
	Lost func(l *Lease, held time.Duration, cause error)
	// RenewFailed follows a renewal that got no answer; the lease lives on until
	// its deadline, and further attempts are made.
	RenewFailed func(name string, err error)
}

func (h *Hooks) acquired(ctx context.Context, l *Lease, began time.Time) {
	if h.Acquired != nil {
		h.Acquired(ctx, l, time.Since(began))
	}
}

func (h *Hooks) released(l *Lease) {
	if h.Released != nil {
		h.Released(l, time.Since(l.since))
	}
}

func (h *Hooks) lost(l *Lease, cause error) {
	if h.Lost != nil {
		h.Lost(l, time.Since(l.since), cause)
	}
}

func (h *Hooks) renewFailed(name string, err error) {
	if h.RenewFailed != nil {
		h.RenewFailed(name, err)
	}
}
