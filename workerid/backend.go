package workerid

import (
	"context"
	"fmt"
	"time"
)

// A Backend keeps the record of who holds which number and does the round trips
// of an Allocator; checks, renewal, deadlines and Close stand once, in this
// package. Each method decides and writes in one atomic step, on the server's
// clock, and honours ctx. Methods are safe for concurrent use.
//
// What a method must decide stands with its request; the memory backend is the
// readable reference, and package workeridtest proves another one against the
// promises.
type Backend interface {
	// Acquire grants a number or reports ErrExhausted, ErrClockBehind,
	// ErrClockAhead or ErrConfigMismatch. Any other error means that the outcome
	// is unknown; the same Token may be sent again.
	Acquire(ctx context.Context, r AcquireRequest) (Grant, error)
	// Renew extends a grant or reports ErrLost or ErrConfigMismatch. Any other
	// error means that the outcome is unknown.
	Renew(ctx context.Context, r RenewRequest) (Grant, error)
	// Release gives a number back or reports ErrLost. Any other error means that
	// the outcome is unknown; a repetition is harmless.
	Release(ctx context.Context, r ReleaseRequest) error
	// Holders lists the numbers that are leased now, in any order.
	Holders(ctx context.Context) ([]Holder, error)
}

// Terms are what all holders of a namespace agree on. Times are milliseconds.
type Terms struct {
	First, Count int
	TTL          int64
	Reach        int64 // a mark is at most this far ahead of a clock that keeps up
	Lead         int64 // a mark is this far ahead of a logical clock
	Gap          int64 // how long after a loss of data numbers start in the future
	Rounding     int64 // three of the longest ticks
	Skew         int64 // how far apart clocks may be
	Fingerprint  string
}

// AcquireRequest asks for a number for the holder that Token names.
type AcquireRequest struct {
	Terms     Terms
	Token     string // of the holder to be: random, without blanks
	Nonce     string // of this attempt: random, without blanks
	Wall      int64  // the holder's clock, Unix milliseconds
	Seed      uint32 // random: where to look for a number that was never used
	Preferred int    // number to take if it is free, or -1
	Fresh     bool   // no earlier holder can exist
	Holder    string
}

// RenewRequest asks for a new mark and expiry of the grant that Token, Generation and
// Start name together. A record that is missing or that another epoch wrote is
// revived from what the holder was promised last, unless it is of a later grant. The
// request may be an old one, so the mark of whoever is revived also keeps clear of
// everything that may have been promised and lost.
type RenewRequest struct {
	Terms                          Terms
	ID                             int
	Token                          string
	Known                          []string // nonces of which the record must have one
	Nonce                          string   // of this attempt
	Want                           int64    // mark that the holder would like
	Generation, Start, Mark, Until int64    // what the holder was promised last
	Holder                         string
}

// ReleaseRequest gives a number back: the one that Token holds, if ID is negative
// because the holder has never learned it. Then nothing was stamped with it.
type ReleaseRequest struct {
	Terms Terms
	ID    int
	Token string
	Known []string // nonces of which the record must have one
	Epoch string   // of the last Grant: the mark of a record of another one stays
	End   int64    // end of the last tick that the holder stamped, Unix milliseconds
}

// Grant is the answer to Acquire and Renew. Times are Unix milliseconds.
type Grant struct {
	ID         int
	Generation int64
	Start      int64 // successors of earlier holders stamp from here
	Mark       int64 // and up to here
	Expires    int64 // by the server's clock
	Time       int64 // the server's clock
	// Epoch names the time for which the server has certainly kept its writes.
	Epoch string
}

// Terms returns what the protocol works with under these options, as an Allocator
// hands it to its Backend.
func (o Options) Terms() (Terms, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Terms{}, fmt.Errorf("workerid: %w", err)
	}
	return o.terms(), nil
}

func (o Options) terms() Terms {
	tick := o.MaxTick.Milliseconds()
	lead := ceilMillis(o.MaxAhead) + 4*tick
	reach := max(ceilMillis(o.Horizon), lead)
	skew := ceilMillis(o.Skew)
	return Terms{
		First: o.First, Count: o.Count,
		TTL:   ceilMillis(o.TTL),
		Reach: reach, Lead: lead,
		Gap:      reach + 2*skew + 3*tick,
		Rounding: 3 * tick,
		Skew:     skew,
		Fingerprint: fmt.Sprintf("first=%d\ncount=%d\nhorizon=%v\nskew=%v\nmax-tick=%v\nmax-ahead=%v\nlayout=%s",
			o.First, o.Count, o.Horizon, o.Skew, o.MaxTick, o.MaxAhead, o.Layout),
	}
}

func ceilMillis(d time.Duration) int64 {
	return (d + time.Millisecond - 1).Milliseconds()
}
