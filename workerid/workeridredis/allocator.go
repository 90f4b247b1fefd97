package workeridredis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

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
	b, err := NewBackend(client, opts.Namespace, opts.Pool)
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
	client redis.UniversalClient
	keys   []string
}

// NewBackend returns the Backend on which New with the same Namespace and Pool
// works. It borrows client and does no I/O.
func NewBackend(client redis.UniversalClient, namespace, pool string) (*Backend, error) {
	if pool == "" {
		pool = "default"
	}
	encoded, poolErr := rediskey.Encode(pool)
	if poolErr != nil {
		poolErr = fmt.Errorf("pool: %w", poolErr)
	}
	if err := errors.Join(redisconn.Check(client), rediskey.Namespace(namespace), poolErr); err != nil {
		return nil, fmt.Errorf("workeridredis: %w", err)
	}
	return &Backend{client, []string{
		rediskey.Join(namespace, "workerid", encoded, "numbers"),
		rediskey.Join(namespace, "workerid", encoded, "expiry"),
	}}, nil
}

// Acquire implements workerid.Backend.
func (b *Backend) Acquire(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	fresh := 0
	if r.Fresh {
		fresh = 1
	}
	reply, err := b.run(ctx, acquire, terms(r.Terms, r.Token, r.Nonce,
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
	reply, err := b.run(ctx, renew, args)
	if err != nil {
		return workerid.Grant{}, err
	}
	return reply.grant(r.Terms)
}

// Release implements workerid.Backend.
func (b *Backend) Release(ctx context.Context, r workerid.ReleaseRequest) error {
	args := terms(r.Terms, r.Token, "", max(r.ID, -1), r.End)
	for _, nonce := range r.Known {
		args = append(args, nonce)
	}
	reply, err := b.run(ctx, release, args)
	if err != nil {
		return err
	}
	return reply.released()
}
