package pubsub

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestNilHooksCostNothing: a PubSub that nobody observes allocates nothing for it,
// neither where it tells nor around a handler.
func TestNilHooksCostNothing(t *testing.T) {
	cause, began := errors.New("cause"), time.Now()
	for _, h := range []*Hooks{nil, {}} {
		n := testing.AllocsPerRun(1000, func() {
			h.published(1, began, cause)
			h.gap("pattern", Gap{Reason: GapTrimmed})
			h.stale(cause)
		})
		s := &subscription{
			node: &Node{opts: Options{Hooks: h}}, ctx: t.Context(), handler: func(context.Context, *Delivery) error { return nil },
		}
		d := &Delivery{}
		around := testing.AllocsPerRun(1000, func() { _ = s.call(d) })
		bare := testing.AllocsPerRun(1000, func() { _ = s.protect(func() error { return s.handler(s.ctx, d) }) })
		if n != 0 || around > bare {
			t.Errorf("hooks %v: %v allocations where it tells, %v around a handler that takes %v by itself", h, n, around, bare)
		}
	}
}
