package lock

import (
	"errors"
	"testing"
	"time"
)

// TestNilHooksCostNothing: a Locker that nobody observes allocates nothing for it.
func TestNilHooksCostNothing(t *testing.T) {
	var h Hooks
	ctx, cause, l, began := t.Context(), errors.New("cause"), &Lease{}, time.Now()
	n := testing.AllocsPerRun(1000, func() {
		h.acquired(ctx, l, began)
		h.released(l)
		h.lost(l, cause)
		h.renewFailed("name", cause)
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
