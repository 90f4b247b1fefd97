package cache

import (
	"errors"
	"testing"
	"time"
)

// TestNilHooksCostNothing: a Cache that nobody observes allocates nothing for it.
func TestNilHooksCostNothing(t *testing.T) {
	var h Hooks
	ctx, cause := t.Context(), errors.New("cause")
	n := testing.AllocsPerRun(1000, func() {
		h.loaded(ctx, "key", time.Second, cause)
		h.refused("key")
		h.corrupt("key", cause)
		h.staleServed("key", time.Second)
		h.dropped()
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
