package queue

import (
	"errors"
	"testing"
	"time"
)

// TestNilHooksCostNothing: a Queue that nobody observes allocates nothing for it.
func TestNilHooksCostNothing(t *testing.T) {
	var h Hooks
	ctx, cause, d, e := t.Context(), errors.New("cause"), &Delivery{}, &Envelope{}
	n := testing.AllocsPerRun(1000, func() {
		h.enqueued(ctx, e, cause)
		h.started(ctx, d)
		h.finished(ctx, d, VerbDone, cause, time.Second)
		h.leaseLost(d)
		h.claimed(1, time.Second)
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
