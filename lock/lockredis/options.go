package lockredis

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/lock"
)

// An Engine is a way to keep locks in Redis. Both exclude each other's holders.
type Engine int

const (
	// FIFO queues the waiters in the server and wakes the next one. Default.
	FIFO Engine = iota
	// Simple is github.com/bsm/redislock with a fence: waiters poll, nobody is
	// served in order between processes, there are no semaphores. It is for
	// servers where scripts may neither publish nor keep a queue.
	Simple
)

// Options tune a Locker. The zero value of each field means its default.
type Options struct {
	lock.Options

	// Namespace comes before every key and channel. Default "cohort".
	Namespace string
	// Engine is FIFO or Simple. All processes may choose on their own.
	Engine Engine
}

// New returns a Locker that borrows client: Close of the Locker leaves it open.
// It does no I/O; the first command reports an unreachable server. A nil client,
// a ring, and clients that read from replicas are refused.
func New(client redis.UniversalClient, o Options) (lock.Locker, error) {
	b, err := NewBackend(client, o)
	if err != nil {
		return nil, err
	}
	l, err := lock.New(b, o.Options)
	if err != nil {
		return nil, fmt.Errorf("lockredis: %w", err)
	}
	return l, nil
}

// NewBackend returns the engine alone, for lock.New.
func NewBackend(client redis.UniversalClient, o Options) (lock.Backend, error) {
	errs := []error{redisconn.Check(client), rediskey.Namespace(o.Namespace)}
	if o.Engine != FIFO && o.Engine != Simple {
		errs = append(errs, fmt.Errorf("%w: Engine %d", lock.ErrInvalidOptions, o.Engine))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("lockredis: %w", err)
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = rediserr.DefaultTimeout
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if !redisconn.HonoursDeadlines(client) {
		o.Logger.Warn("lockredis: the client ignores the deadlines of contexts (ContextTimeoutEnabled); " +
			"calls may outlive theirs by its ReadTimeout")
	}
	c := conn{client: client, namespace: o.Namespace, timeout: o.OpTimeout, log: o.Logger}
	c.cluster = redisconn.IsCluster(client)
	if o.Engine == Simple {
		return newSimple(c), nil
	}
	return newFIFO(c), nil
}

// area is the word of this package in keys.
const area = "lock"

// Key returns the key that holds the token of the lock of a name, for programs
// that use github.com/bsm/redislock on it.
func Key(namespace, name string) (string, error) {
	if err := rediskey.Namespace(namespace); err != nil {
		return "", fmt.Errorf("lockredis: %w", err)
	}
	encoded, err := rediskey.Encode(name)
	if err != nil {
		return "", fmt.Errorf("lockredis: %w: %w", lock.ErrInvalidName, err)
	}
	return rediskey.Join(namespace, area, encoded, "held"), nil
}
