package workeridredis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/workerid"
)

// Options configure an Allocator on Redis.
type Options struct {
	workerid.Options

	// Namespace comes before every key. Default "cohort".
	Namespace string
	// Pool separates numbers that have nothing to do with each other, such as
	// those of two kinds of ID. Default "default".
	Pool string
	// Replicas is how many replicas must acknowledge a grant and each renewal
	// before the holder relies on it: with fewer, Acquire fails with
	// workerid.ErrNotReplicated and gives the number back, and a renewal counts as
	// one that failed, so that the window stays where it is. A failover to one of
	// these replicas then loses nothing that was promised. Default 0.
	Replicas int
	// ReplicaTimeout is how long the server waits for them, at most three quarters
	// of the time that the call has. Default 500ms.
	ReplicaTimeout time.Duration
}

func (o Options) check() error {
	var errs []error
	if o.Replicas < 0 {
		errs = append(errs, fmt.Errorf("Replicas is %d, want 0 or more", o.Replicas))
	}
	if o.ReplicaTimeout < 0 {
		errs = append(errs, fmt.Errorf("ReplicaTimeout is %v, want 0 or more", o.ReplicaTimeout))
	}
	return errors.Join(errs...)
}

// New returns an Allocator that borrows client: Close of the Allocator leaves it
// open. It does no I/O; the first Acquire reports an unreachable server. An error
// lists every problem.
//
// The client reaches one Redis, a master by way of Sentinel, or a Cluster. One
// that reads from replicas, and *redis.Ring, is refused with an error that says
// why. A client without ContextTimeoutEnabled lets a call outlive its ctx by its
// ReadTimeout; the times that windows and leases end are kept all the same.
func New(client redis.UniversalClient, opts Options) (workerid.Allocator, error) {
	b, err := NewBackend(client, opts)
	if err != nil {
		_, optsErr := workerid.New(refused{}, opts.Options)
		return nil, errors.Join(err, optsErr)
	}
	if opts.Logger != nil && !redisconn.HonoursDeadlines(client) {
		opts.Logger.Warn("client does not end commands with their context: set ContextTimeoutEnabled",
			slog.String("area", "workerid"))
	}
	return workerid.New(b, opts.Options)
}

// refused stands in for a backend that could not be made, so that the problems of
// the other options are still found.
type refused struct{ workerid.Backend }

var _ workerid.Backend = (*Backend)(nil)

// Backend does the round trips of an Allocator on Redis, each in one script. Use
// New unless you wrap a Backend.
type Backend struct {
	client         redis.UniversalClient
	keys           []string
	replicas       int
	replicaTimeout time.Duration
}

// NewBackend returns the Backend on which New with the same opts works, whose
// embedded Options it does not look at. It borrows client and does no I/O.
func NewBackend(client redis.UniversalClient, opts Options) (*Backend, error) {
	if opts.Pool == "" {
		opts.Pool = "default"
	}
	if opts.ReplicaTimeout == 0 {
		opts.ReplicaTimeout = 500 * time.Millisecond
	}
	encoded, poolErr := rediskey.Encode(opts.Pool)
	if poolErr != nil {
		poolErr = fmt.Errorf("pool: %w", poolErr)
	}
	if err := errors.Join(redisconn.Check(client), rediskey.Namespace(opts.Namespace), poolErr, opts.check()); err != nil {
		return nil, fmt.Errorf("workeridredis: %w", err)
	}
	return &Backend{
		client: client, replicas: opts.Replicas, replicaTimeout: opts.ReplicaTimeout,
		keys: []string{
			rediskey.Join(opts.Namespace, "workerid", encoded, "numbers"),
			rediskey.Join(opts.Namespace, "workerid", encoded, "expiry"),
		},
	}, nil
}

// Acquire implements workerid.Backend.
func (b *Backend) Acquire(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	fresh := 0
	if r.Fresh {
		fresh = 1
	}
	reply, err := b.runReplicated(ctx, acquire, terms(r.Terms, r.Token, r.Nonce,
		r.Wall, r.Seed, r.Preferred, fresh, r.Holder, workerid.MaxListed, workerid.Poisoned.Milliseconds()))
	if err != nil {
		return workerid.Grant{}, err
	}
	return reply.grant(r.Terms)
}

// Renew implements workerid.Backend.
func (b *Backend) Renew(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
	args := terms(r.Terms, r.Token, r.Nonce,
		r.ID, r.Want, r.Generation, r.Start, r.Mark, r.Until, r.Holder)
	for _, nonce := range r.Known {
		args = append(args, nonce)
	}
	reply, err := b.runReplicated(ctx, renew, args)
	if err != nil {
		return workerid.Grant{}, err
	}
	return reply.grant(r.Terms)
}

// Release implements workerid.Backend.
func (b *Backend) Release(ctx context.Context, r workerid.ReleaseRequest) error {
	args := terms(r.Terms, r.Token, "", max(r.ID, -1), r.End, r.Epoch)
	for _, nonce := range r.Known {
		args = append(args, nonce)
	}
	reply, err := b.run(ctx, release, args)
	if err != nil {
		return err
	}
	return reply.released()
}
