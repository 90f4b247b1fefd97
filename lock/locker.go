package lock

import (
	"context"
	"time"
)

// A Locker grants leases. All methods are safe for concurrent use and report
// failures as [*OpError].
type Locker interface {
	// Acquire waits until name is granted, in the order of the requests. ctx
	// bounds the wait only: a lease that was granted lives on after it. A wait
	// that ctx ends is ErrHeld joined with the error of ctx, or ErrUncertain if
	// no answer had come by then.
	Acquire(ctx context.Context, name string, o Request) (*Lease, error)

	// TryAcquire takes name or reports ErrHeld at once. It never overtakes those
	// who wait.
	TryAcquire(ctx context.Context, name string, o Request) (*Lease, error)

	// Inspect says who has name, as the backend knows it.
	Inspect(ctx context.Context, name string) (Info, error)

	// Close gives back every lease, whose contexts end with a cause that is both
	// ErrLost and ErrClosed, and ends every wait with ErrClosed. It waits for
	// this no longer than ctx allows. Later calls of the other methods report
	// ErrClosed; a second Close returns nil.
	Close(ctx context.Context) error
}

// Info is the state of a lock at one moment.
type Info struct {
	// Held says whether anybody has the lock.
	Held bool
	// Owner is the token of the holder's grant, which [Lease.Token] returns too.
	Owner string
	// TTL is how long the grant lasts if nobody renews it.
	TTL time.Duration
	// Waiters is the number of processes that wait.
	Waiters int
	// Fence is the smallest fence of the last grant, 0 if there was none within
	// the last day. Turns that a process serves on one grant have larger ones.
	Fence uint64
}
