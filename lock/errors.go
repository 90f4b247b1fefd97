package lock

import (
	"errors"
	"fmt"
)

// Errors reported by every Locker. Test for them with errors.Is; the message
// around them names the operation and the lock.
var (
	// ErrHeld reports that another holder has the lock: at once from TryAcquire,
	// joined with the error of ctx when the wait of Acquire ended.
	ErrHeld = errors.New("held by another")
	// ErrLost reports that a lease ended before its holder released it.
	ErrLost = errors.New("lease lost")
	// ErrReleased reports use of a lease that its holder has released.
	ErrReleased = errors.New("lease released")
	// ErrInvalidTTL reports a TTL below the floor; see Request.
	ErrInvalidTTL = errors.New("invalid ttl")
	// ErrInvalidName reports a name that is empty or longer than MaxName.
	ErrInvalidName = errors.New("invalid name")
	// ErrInvalidOptions reports other options out of their range.
	ErrInvalidOptions = errors.New("invalid options")
	// ErrNotReplicated reports that fewer replicas than Request.Replicas
	// acknowledged the grant in time. The grant was given back.
	ErrNotReplicated = errors.New("not enough replicas acknowledged")
	// ErrUncertain reports that an answer got lost and nobody knows whether the
	// request took effect. What an Acquire may have taken is given back in the
	// background.
	ErrUncertain = errors.New("outcome unknown")
	// ErrUnsupported reports an ability that the backend does not have.
	ErrUnsupported = errors.New("not supported by this backend")
	// ErrStale reports a fence smaller than one that the resource has seen.
	ErrStale = errors.New("stale fence")
	// ErrClosed reports use of a Locker after Close.
	ErrClosed = errors.New("locker closed")
)

// errTaken is the cause of a lease that Close ended under its holder.
var errTaken = fmt.Errorf("%w: %w", ErrLost, ErrClosed)

// OpError says which operation on which lock failed. It unwraps to one of the
// package's errors or to the backend's own error.
type OpError struct {
	Op   string // "acquire", "extend", "release", "inspect", "list"
	Name string // as the caller gave it
	Err  error
}

func (e *OpError) Error() string { return "lock: " + e.Op + " " + e.Name + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

func opError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &OpError{Op: op, Name: name, Err: err}
}
