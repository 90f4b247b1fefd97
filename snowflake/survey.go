package snowflake

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// A hold is why no counter may be taken now, and what can change that. The zero
// hold stands in nobody's way.
type hold struct {
	err     error           // nil if there is none
	final   bool            // waiting is no use
	after   time.Duration   // by itself; 0 means never
	moved   <-chan struct{} // the lease was renewed
	ended   <-chan struct{} // the lease ended
	changed <-chan struct{} // the generator was closed or has another number
}

// survey reads the clock, raises the counter to the current tick and sets the
// ceiling. It reports what holds up whoever wants a counter, or starts the
// ticker that does the same from now on. g.mu is held.
func (g *Generator) survey() hold {
	b := g.bound.Load()
	if g.closed {
		return hold{err: ErrClosed, final: true}
	}
	if err := ended(b.worker); err != nil {
		b.ceiling.Store(0)
		return g.lost(err)
	}
	at, window := b.instant(), b.worker.Window()
	byClock, byMark := b.byClock(at), b.byMark(window.Mark)
	c := b.raise(b.current(at.now))
	b.ceiling.Store(min(byClock, byMark))
	switch {
	case sealed(c): // a moment before the worker's context ends
		return g.lost(nil)
	case b.logical(at)+b.ahead < b.layout.Epoch:
		return hold{err: fmt.Errorf("the clock %w: it is before the epoch", ErrOverflow), final: true}
	case c >= b.byEnd():
		_, end := b.layout.Lifetime()
		return hold{err: fmt.Errorf("the clock %w: its last tick ended at %v", ErrOverflow, end), final: true}
	case c >= byMark:
		return hold{err: workerid.ErrUnavailable, moved: window.Moved, ended: b.worker.Context().Done(), changed: g.changed}
	case c >= byClock:
		after := b.opens(at, c)
		return hold{err: &ExhaustedError{RetryAfter: after}, after: after, ended: b.worker.Context().Done(), changed: g.changed}
	}
	g.ticker.wind(g.tick, b.untilNextTick(at.now))
	return hold{}
}

// lost returns the hold of a number that may no longer be used; a nil cause is not
// known yet.
func (g *Generator) lost(cause error) hold {
	switch {
	case cause == nil:
		return hold{err: workerid.ErrReleased, ended: g.bound.Load().worker.Context().Done(), changed: g.changed}
	case g.opts.AwaitRebind && errors.Is(cause, workerid.ErrLost):
		return hold{err: cause, changed: g.changed}
	}
	return hold{err: cause, final: true}
}

// await parks the caller until h may be over. It holds no lock and does not poll.
func (g *Generator) await(ctx context.Context, h hold) error {
	if h.final {
		return h.err
	}
	g.waiting.Add(1)
	g.waits.Add(1)
	defer g.waiting.Add(-1)
	var due <-chan time.Time
	if h.after > 0 {
		timer := time.NewTimer(h.after)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-due:
	case <-h.moved:
	case <-h.ended:
	case <-h.changed:
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", h.err, context.Cause(ctx))
	}
	return nil
}
