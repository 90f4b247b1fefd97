package cache

import (
	"errors"
	"fmt"
)

// Errors that callers branch on. Test for them with errors.Is.
var (
	// ErrNotFound reports that a key has no value. A loader returns it (wrapped
	// or not) to say that there is none to load.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable reports that the Store could not be reached; nothing was
	// read or changed.
	ErrUnavailable = errors.New("store unavailable")
	// ErrUncertain reports that a write may or may not have happened. The node's
	// own copy is gone and the invalidation is repeated in the background.
	ErrUncertain = errors.New("outcome unknown")
	// ErrTooLarge reports a value or a key above its limit.
	ErrTooLarge = errors.New("too large")
	// ErrVersion reports that the entry is not the one that the write was for:
	// IfVersion met another version, or OnlyIfAbsent an entry.
	ErrVersion = errors.New("entry has another version")
	// ErrLoaderPanic reports that a loader panicked; see [PanicError].
	ErrLoaderPanic = errors.New("loader panicked")
	// ErrClosed reports use after Close.
	ErrClosed = errors.New("cache closed")
	// ErrMismatch reports that the Store holds the structure with other
	// parameters than the caller gave.
	ErrMismatch = errors.New("exists with other parameters")
	// ErrNotReserved reports a Bloom filter that was never reserved, or was lost.
	// What it held is unknown: it must be reserved and filled again.
	ErrNotReserved = errors.New("filter is not reserved")
	// ErrOverflow reports that an addition would leave the range of int64. The
	// counter is unchanged.
	ErrOverflow = errors.New("counter overflow")
	// ErrUnsupported reports an ability that the Store does not have.
	ErrUnsupported = errors.New("not supported by this store")
)

// OpError says which operation on which key failed. It unwraps to one of the
// package's errors or to the Store's own.
type OpError struct {
	Op   string // "get", "set", "delete", "load" …
	Name string // key, tag or namespace as the caller gave it; "" for several
	Err  error
}

func (e *OpError) Error() string {
	if e.Name == "" {
		return "cache: " + e.Op + ": " + e.Err.Error()
	}
	return fmt.Sprintf("cache: %s %q: %v", e.Op, e.Name, e.Err)
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// opError names the operation once. A miss is an expected outcome: it stays
// ErrNotFound itself and costs nothing.
func opError(op, name string, err error) error {
	if err == nil || err == ErrNotFound { //nolint:errorlint // only the bare sentinel is free
		return err
	}
	if _, ok := errors.AsType[*OpError](err); ok {
		return err
	}
	return &OpError{Op: op, Name: name, Err: err}
}

// PanicError is what a panic of a loader becomes. It unwraps to ErrLoaderPanic.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("%v: %v", ErrLoaderPanic, e.Value) }

// Unwrap returns ErrLoaderPanic.
func (e *PanicError) Unwrap() error { return ErrLoaderPanic }
