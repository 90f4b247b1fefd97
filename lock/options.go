package lock

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Bounds of a request.
const (
	// DefaultTTL is the lifetime of a lease that is not renewed in time.
	DefaultTTL = 10 * time.Second
	// MinTTL is the shortest TTL of a lease that is renewed.
	MinTTL = 100 * time.Millisecond
	// MinTTLNoRenew is the shortest TTL of a lease that is not renewed.
	MinTTLNoRenew = 20 * time.Millisecond
	// MaxName is the length in bytes of the longest name.
	MaxName = 512
)

// A Request is what one acquisition asks for. The zero value of each field means its
// default.
type Request struct {
	// TTL is how long the grant outlives a holder that is not heard of any
	// more. Parts of a millisecond are cut off. Default 10 s.
	TTL time.Duration
	// NoRenew leaves out the renewal that otherwise keeps the lease alive until
	// Release: the lease ends after TTL.
	NoRenew bool
	// MaxHold ends the lease after that time in spite of renewal. Default: no
	// bound.
	MaxHold time.Duration
	// Replicas is how many replicas must acknowledge the grant before it counts.
	// Default 0.
	Replicas int
	// Permits makes the name a semaphore that lets so many holders in at once;
	// see [Semaphore]. Default 0: a lock. Locks and semaphores of one name are
	// independent of each other.
	Permits int
}

// check returns o with its defaults, or every reason to refuse the request.
func (o Request) check(name string) (Request, error) {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	o.TTL = o.TTL.Truncate(time.Millisecond)
	least := MinTTL
	if o.NoRenew {
		least = MinTTLNoRenew
	}
	err := CheckName(name)
	if o.TTL < least {
		err = errors.Join(err, fmt.Errorf("%w: %v, the least is %v", ErrInvalidTTL, o.TTL, least))
	}
	if o.MaxHold < 0 || o.Replicas < 0 || o.Permits < 0 {
		err = errors.Join(err, fmt.Errorf("%w: MaxHold %v, Replicas %d, Permits %d, none may be negative",
			ErrInvalidOptions, o.MaxHold, o.Replicas, o.Permits))
	}
	return o, err
}

// CheckName reports why name must be refused ([ErrInvalidName]), or nil. Every
// byte may occur in a name.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName {
		return fmt.Errorf("%w: %d bytes, want 1 to %d", ErrInvalidName, len(name), MaxName)
	}
	return nil
}

// margin is how long before the end of a grant its holder is told.
func margin(ttl time.Duration) time.Duration {
	return max(ttl/10, min(50*time.Millisecond, ttl/4))
}

// Options tune a Locker. The zero value of each field means its default.
type Options struct {
	// LocalBatch is how many acquisitions of a name in a row one process may
	// serve while another process waits, 1 to 1023. Default 8; with 1 the turn
	// passes on after each.
	LocalBatch int
	// OpTimeout bounds a request to the backend where ctx does not. Default 5 s.
	OpTimeout time.Duration
	// Hooks observe the Locker.
	Hooks Hooks
	// Logger receives what fails in the background. Default: discard.
	Logger *slog.Logger
}

// maxTurn is the last of the local turns that share one fence of the backend.
const (
	turnBits = 10
	maxTurn  = 1<<turnBits - 1
)

func (o Options) withDefaults() (Options, error) {
	if o.LocalBatch == 0 {
		o.LocalBatch = 8
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var errs []error
	if o.LocalBatch < 1 || o.LocalBatch > maxTurn {
		errs = append(errs, fmt.Errorf("%w: LocalBatch %d, want 1 to %d", ErrInvalidOptions, o.LocalBatch, maxTurn))
	}
	if o.OpTimeout < 0 {
		errs = append(errs, fmt.Errorf("%w: OpTimeout %v is negative", ErrInvalidOptions, o.OpTimeout))
	}
	return o, errors.Join(errs...)
}
