package workerid

import (
	"errors"
	"testing"
)

// TestNilHooksCostNothing: an Allocator that nobody observes allocates nothing for it.
func TestNilHooksCostNothing(t *testing.T) {
	var h Hooks
	cause, l := errors.New("cause"), &Lease{}
	n := testing.AllocsPerRun(1000, func() {
		h.acquired(l)
		h.renewed(l, cause)
		h.ended(l, cause)
	})
	if n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
