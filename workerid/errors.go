package workerid

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Errors reported by every Allocator and Lease. Test for them with errors.Is; the
// message around them names the operation and the number.
var (
	// ErrExhausted reports that each number of the range is held. The error is an
	// [*ExhaustedError].
	ErrExhausted = errors.New("no free worker number")
	// ErrLost reports that a number may no longer be used although nobody gave it
	// back: another node took it after the lease had run out, or the server lost
	// its data for longer than the lease was good for. It is for good.
	ErrLost = errors.New("lease lost")
	// ErrReleased reports use of a number after Release or Close.
	ErrReleased = errors.New("lease released")
	// ErrClockBehind reports that the free numbers carry marks more than a day
	// ahead of this node's clock and the server's.
	ErrClockBehind = errors.New("clock is behind the marks of all free worker numbers")
	// ErrClockAhead reports that this node's clock is more than a day ahead of the
	// server's, so that its marks would block the number for everybody else.
	ErrClockAhead = errors.New("clock is more than a day ahead of the server's")
	// ErrConfigMismatch reports that the namespace is used with another
	// configuration. The error is a [*ConfigMismatchError].
	ErrConfigMismatch = errors.New("configuration differs from that of the namespace")
	// ErrUnavailable reports that no ID can be made now, because the lease could
	// not be renewed in time. It may be renewed later.
	ErrUnavailable = errors.New("lease not renewed in time")
	// ErrNotReplicated reports that fewer replicas than demanded acknowledged a
	// grant, which is given back, or a renewal, which is tried again.
	ErrNotReplicated = errors.New("not enough replicas acknowledged")
	// ErrClosed reports use of an Allocator after Close.
	ErrClosed = errors.New("allocator closed")
)

// OpError says which operation failed. It unwraps to one of the package's errors
// or to the backend's own error.
type OpError struct {
	Op  string // "acquire", "renew", "release" or "holders"
	ID  int    // the worker number, or -1 where there is none yet
	Err error
}

func (e *OpError) Error() string {
	if e.ID < 0 {
		return "workerid: " + e.Op + ": " + e.Err.Error()
	}
	return "workerid: " + e.Op + " " + strconv.Itoa(e.ID) + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }

// MaxListed is how many holders an ExhaustedError names at most.
const MaxListed = 64

// ExhaustedError is the ErrExhausted of a full range.
type ExhaustedError struct {
	// Count is how many numbers the range has.
	Count int
	// Holders are those who hold them, the first to expire first, at most
	// MaxListed.
	Holders []Holder
	// FirstExpiry is when the first of them expires unless it is renewed, by the
	// server's clock.
	FirstExpiry time.Time
}

func (e *ExhaustedError) Error() string {
	held := make([]string, len(e.Holders))
	for i, h := range e.Holders {
		held[i] = fmt.Sprintf("%d by %q", h.ID, h.Holder)
	}
	text := fmt.Sprintf("%v: all %d are held (%s", ErrExhausted, e.Count, strings.Join(held, ", "))
	if more := e.Count - len(e.Holders); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + "), the first lease ends at " + e.FirstExpiry.UTC().Format("15:04:05.000") + " UTC unless renewed"
}

// Is makes errors.Is(err, ErrExhausted) true.
func (e *ExhaustedError) Is(target error) bool { return target == ErrExhausted }

// ConfigMismatchError is the ErrConfigMismatch that names what differs.
type ConfigMismatchError struct {
	// Ours is this node's fingerprint and Theirs the namespace's: lines of
	// "field=value".
	Ours, Theirs string
}

func (e *ConfigMismatchError) Error() string {
	ours, theirs := strings.Split(e.Ours, "\n"), strings.Split(e.Theirs, "\n")
	var differ []string
	for i := range max(len(ours), len(theirs)) {
		here, there := "nothing", "nothing"
		if i < len(ours) {
			here = ours[i]
		}
		if i < len(theirs) {
			there = theirs[i]
		}
		if here != there {
			differ = append(differ, here+" here but "+there+" there")
		}
	}
	return ErrConfigMismatch.Error() + ": " + strings.Join(differ, ", ")
}

// Is makes errors.Is(err, ErrConfigMismatch) true.
func (e *ConfigMismatchError) Is(target error) bool { return target == ErrConfigMismatch }
