package lockredis

import (
	"fmt"
	"testing"
	"time"
)

// Leases that were lost are never released; the memory of them goes all the same.
func TestLostGrantsForgotten(t *testing.T) {
	b := newSimple(conn{})
	now := time.Now()
	for i := range 10000 {
		b.lasts(fmt.Sprint(i), now.Add(-time.Second), 1)
	}
	b.lasts("lives", now.Add(time.Minute), 7)
	for i := range 1000 {
		b.lasts(fmt.Sprint("more", i), now.Add(-time.Second), 1)
	}
	if n := len(b.grants); n > 2*leastSweep {
		t.Errorf("%d grants are remembered", n)
	}
	if fence := b.lasts("lives", now, 8); fence != 7 {
		t.Errorf("fence %d, want that of the grant", fence)
	}
}
