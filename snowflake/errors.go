package snowflake

import (
	"errors"
	"strconv"
	"time"
)

// ErrClosed reports use of a Generator after Close.
var ErrClosed = errors.New("generator closed")

// ExhaustedError reports that the Generator has used up all that its Layout allows
// until RetryAfter has passed: it is ahead of the clock as far as it may be.
type ExhaustedError struct {
	// RetryAfter is when the next tick opens, for everyone who waits.
	RetryAfter time.Duration
}

func (e *ExhaustedError) Error() string {
	return "no sequence is left until the next tick, in " + e.RetryAfter.String()
}

// OpError says which operation of a Generator failed. It unwraps to an error of
// this package, to one of package workerid ([workerid.ErrLost],
// [workerid.ErrReleased], [workerid.ErrUnavailable]), and, if the end of a ctx cut
// a wait short, to the cause of that as well.
type OpError struct {
	Op     string // "new", "next", "try next", "fill" or "rebind"
	Worker int    // the worker number
	Err    error
}

func (e *OpError) Error() string {
	return "snowflake: " + e.Op + " as worker " + strconv.Itoa(e.Worker) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }
