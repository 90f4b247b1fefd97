// Package backoff spaces out the attempts of whatever is tried again.
package backoff

import (
	"context"
	"math/rand/v2"
	"time"
)

// Policy says how long to wait before each further attempt: Base, then twice as
// long each time, never more than Max. The zero Policy does not wait at all.
type Policy struct {
	// Base is the wait before the first repetition.
	Base time.Duration
	// Max bounds every wait. Zero means no bound.
	Max time.Duration
	// Jitter, between 0 and 1, is the part of a wait that chance may take off, so
	// that clients that failed together do not come back together.
	Jitter float64
}

// longest keeps doubling from overflowing where Max is zero.
const longest = time.Duration(1) << 62

// Delay returns the wait that follows failed attempt number attempt, counted
// from 0.
func (p Policy) Delay(attempt int) time.Duration {
	limit := p.Max
	if limit <= 0 {
		limit = longest
	}
	d := min(p.Base, limit)
	for ; attempt > 0 && d > 0 && d < limit; attempt-- {
		if d > limit/2 {
			d = limit
			break
		}
		d *= 2
	}
	return d - time.Duration(p.Jitter*rand.Float64()*float64(d))
}

// Sleep waits for d and returns nil, or returns the cause of ctx's end as soon
// as ctx ends.
func Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
