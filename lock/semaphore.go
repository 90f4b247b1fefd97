package lock

import (
	"context"
	"fmt"
)

// A Semaphore lets up to Permits holders in at once, in the order in which they
// asked. It has the promises of a lock (renewal, loss that is told in time), but
// its fences order grants only, they are not for a FenceGate: several holders
// are right at once. All users of one name must agree on Permits.
type Semaphore struct {
	// Locker keeps the permits.
	Locker Locker
	// Name names the semaphore.
	Name string
	// Permits is how many holders there may be, at least 1.
	Permits int
}

// Acquire waits for a permit; see [Locker].
func (s Semaphore) Acquire(ctx context.Context, o Request) (*Lease, error) {
	o, err := s.request(o)
	if err != nil {
		return nil, err
	}
	return s.Locker.Acquire(ctx, s.Name, o)
}

// TryAcquire takes a permit or reports ErrHeld; see [Locker].
func (s Semaphore) TryAcquire(ctx context.Context, o Request) (*Lease, error) {
	o, err := s.request(o)
	if err != nil {
		return nil, err
	}
	return s.Locker.TryAcquire(ctx, s.Name, o)
}

func (s Semaphore) request(o Request) (Request, error) {
	if s.Permits < 1 {
		return o, opError("acquire", s.Name, fmt.Errorf("%w: Permits is %d, want at least 1", ErrInvalidOptions, s.Permits))
	}
	o.Permits = s.Permits
	return o, nil
}
