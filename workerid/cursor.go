package workerid

import (
	"sync/atomic"
	"time"
)

// Grid says which counter value means which time: counter = tick number since
// Epoch << SequenceBits | sequence.
type Grid struct {
	Epoch        int64         // Unix milliseconds of tick 0
	Tick         time.Duration // length of one tick, whole milliseconds
	SequenceBits uint8
}

// Sealed is the bit that marks a cursor whose number may no longer be used: it is
// above every ceiling, so no further counter is taken.
const Sealed uint64 = 1 << 63

// Cursor is the next free counter of one worker number on one grid. It only
// grows.
type Cursor struct {
	_ [64]byte // own cache line: every ID of the process is one add to Counter
	// Counter is the next counter that nobody has taken. Generators read it,
	// compare it with their ceiling, and only then add one.
	Counter atomic.Uint64
	_       [56]byte

	advanced func(counter uint64) // tells the owner of the number; may be nil
}

// Advance makes Counter at least to, unless the cursor is sealed. It is for a
// generator that goes on from another number and may be far ahead: the Window of a
// leased number follows.
func (c *Cursor) Advance(to uint64) {
	for {
		now := c.Counter.Load()
		if now >= to {
			return
		}
		if c.Counter.CompareAndSwap(now, to) {
			break
		}
	}
	if c.advanced != nil {
		c.advanced(to)
	}
}

// Seal ends the cursor for good and returns its final value: each counter that was
// taken is below it. The owner of the number calls it when the number is released
// or lost; the bits below [Sealed] stay, so that a generator that moves to
// another number knows where it was.
func (c *Cursor) Seal() uint64 { return c.Counter.Or(Sealed) &^ Sealed }
