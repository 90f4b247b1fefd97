package workerid

import (
	"context"
	"time"
)

// An Allocator leases worker numbers. All methods are safe for concurrent use.
// Each error is an [*OpError].
type Allocator interface {
	// Acquire leases a number that no other live holder has and keeps it renewed
	// until Release or Close. A full range is ErrExhausted at once, or, with
	// Request.Wait, waited for as long as ctx allows.
	Acquire(ctx context.Context, r Request) (*Lease, error)
	// Holders lists the numbers that are leased now, in ascending order.
	Holders(ctx context.Context) ([]Holder, error)
	// Close releases each lease of this Allocator, waiting no longer than ctx
	// allows: a number that could not be given back in time expires by itself.
	// Later calls of the other methods report ErrClosed; a second Close returns
	// nil.
	Close(ctx context.Context) error
}

// Request is what one Acquire asks for. The zero Request takes any number.
type Request struct {
	// Wait makes Acquire wait for a number while the range is full.
	Wait bool
	// Preferred is taken if it is free, for nodes that like to keep their number
	// over a restart. Nil means any.
	Preferred *int
	// Holder tells people who holds the number, at most MaxHolder bytes of
	// printable text. Default: host name and process id.
	Holder string
}

// MaxHolder is the length in bytes of the longest Request.Holder.
const MaxHolder = 128

// Holder is one leased number.
type Holder struct {
	ID         int
	Generation int64     // how often the number has been leased, this lease included
	Holder     string    // Request.Holder of the lease
	Start      time.Time // where the holder's Window begins
	Mark       time.Time // where it ends, as far as it was renewed
	Expires    time.Time // when the number may pass on unless renewed, by the server's clock
}
