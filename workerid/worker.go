package workerid

import (
	"context"
	"time"
)

// Worker is what a generator of IDs needs of a worker number: the number, the
// time it may stamp, and one cursor per grid. [*Lease] and [*Fixed] are
// Workers. All methods are safe for concurrent use and none of them blocks.
type Worker interface { //nolint:interfacebloat // one of them per question that a generator has
	// ID is the worker number.
	ID() int
	// Context ends when the number may no longer be used; its cause says why
	// ([ErrLost] or [ErrReleased]).
	Context() context.Context
	// Window is the span of time that IDs may carry now.
	Window() Window
	// MaxTick is the longest tick that the number was leased for.
	MaxTick() time.Duration
	// MaxAhead is the furthest ahead of Now that IDs may be stamped: what the gap
	// after a loss of data was reckoned with. A generator refuses to be told more.
	MaxAhead() time.Duration
	// Now is the process clock in Unix milliseconds. It never goes back and
	// does not follow steps of the wall clock.
	Now() int64
	// Cursor returns the one cursor of this number on grid, the same for each
	// call with an equal grid, so that two generators never repeat each other.
	Cursor(grid Grid) *Cursor
}

// Window is the span of time that the holder of a worker number may stamp: a
// tick that begins at or after Start and ends at or before Mark.
type Window struct {
	// Start and Mark are Unix milliseconds. Mark is [NoMark] for a number that
	// nobody leases out; then nothing is promised across restarts.
	Start, Mark int64
	// Moved is closed when another Window has replaced this one or the number
	// may no longer be used. It is nil where neither can happen.
	Moved <-chan struct{}
}

// NoMark is the Mark of a Window without an end.
const NoMark int64 = 1<<63 - 1
