package workerid

import (
	"context"
	"math/rand/v2"
	"time"
)

var _ Worker = (*Fixed)(nil)

// Fixed is a number that nobody leases out: the deployment sees to it that no
// other process has it. Have one Fixed per process and number, since its cursors
// are what keeps two generators apart. Without marks nothing is promised across
// restarts, so a generator makes its first ID only after the ticks that an
// earlier process could have stamped.
type Fixed struct {
	id      int
	clock   *clock
	cursors cursors
}

// Static returns the number n, which a generator checks against its layout.
func Static(n int) *Fixed {
	f := &Fixed{id: n, clock: newClock(time.Now)}
	f.cursors.start = f.clock.now()
	return f
}

// Random returns one of the 32 default numbers at random. Eight nodes that do so
// share a number with a probability of 61 %: for experiments, never for a cluster.
func Random() *Fixed { return Static(rand.IntN(32)) }

// ID implements Worker.
func (f *Fixed) ID() int { return f.id }

// Context implements Worker. It never ends.
func (*Fixed) Context() context.Context { return context.Background() }

// Window implements Worker. It has no end.
func (f *Fixed) Window() Window { return Window{Start: f.cursors.start, Mark: NoMark} }

// MaxTick implements Worker. Any tick will do.
func (*Fixed) MaxTick() time.Duration { return 1<<63 - 1 }

// MaxAhead implements Worker. No gap was reckoned with any.
func (*Fixed) MaxAhead() time.Duration { return 1<<63 - 1 }

// Now implements Worker.
func (f *Fixed) Now() int64 { return f.clock.now() }

// Cursor implements Worker.
func (f *Fixed) Cursor(grid Grid) *Cursor { return f.cursors.on(grid) }
