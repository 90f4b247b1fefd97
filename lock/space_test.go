package lock

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// Names that nobody has or waits for are forgotten, those that were lost too.
func TestSpaceForgets(t *testing.T) {
	sp := NewSpace()
	b := sp.Backend()
	if err := b.Start("process00000", nil); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for i := range 10000 {
		c := Claim{Name: fmt.Sprint(i), Token: fmt.Sprintf("process00000%020d", i), TTL: time.Microsecond}
		if i%2 == 0 {
			c.TTL = time.Hour
		}
		if r, err := b.Acquire(ctx, c, false); err != nil || r.State != Granted {
			t.Fatalf("%+v, %v", r, err)
		}
		if i%2 == 0 {
			if had, err := b.Release(ctx, c); err != nil || !had {
				t.Fatalf("%v, %v", had, err)
			}
		}
	}
	if n := len(sp.names); n > 200 {
		t.Errorf("%d names are remembered", n)
	}
	if n := len(sp.names); n == 0 {
		t.Error("the last names are gone, so nothing was shown")
	}
}
