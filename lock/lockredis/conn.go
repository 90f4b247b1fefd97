package lockredis

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/lock"
)

// conn is what both engines need to reach the server.
type conn struct {
	client    redis.UniversalClient
	namespace string
	timeout   time.Duration
	cluster   bool
	log       *slog.Logger
}

// names are the keys of one name. A keyring adds what every call takes along: the
// keys once more, and how a script tells others of the name (a string, boxed once).
type names struct {
	keys    []string
	ready   script.Keys
	telling any
}

func (c *conn) names(name string, parts ...string) (names, error) {
	encoded, err := rediskey.Encode(name)
	if err != nil {
		return names{}, fmt.Errorf("%w: %w", lock.ErrInvalidName, err)
	}
	n := names{keys: make([]string, len(parts))}
	for i, part := range parts {
		n.keys[i] = rediskey.Join(c.namespace, area, encoded, part)
	}
	return n, nil
}

// retry calls f until it is answered; see internal/rediserr. The first attempt,
// which is mostly the only one, costs no timer.
func (c *conn) retry(ctx context.Context, f func(ctx context.Context) error) error {
	var first error
	if !c.cluster {
		first = f(c.bound(ctx))
		if first == nil || !rediserr.Retryable(first) {
			return uncertain(first, first)
		}
	}
	err := redisconn.Retry(ctx, c.client, c.timeout, f)
	return uncertain(err, first)
}

// uncertain marks err if it, or an attempt before it, may have taken effect.
func uncertain(err, before error) error {
	if err == nil || !rediserr.Uncertain(err) && !rediserr.Uncertain(before) {
		return err
	}
	return fmt.Errorf("%w: %w", lock.ErrUncertain, err)
}

// bound gives ctx a deadline for the client's reads and writes if it has none.
func (c *conn) bound(ctx context.Context) context.Context {
	if _, ok := ctx.Deadline(); ok {
		return ctx
	}
	return &bounded{ctx, time.Now().Add(c.timeout)}
}

// bounded is a context whose deadline is known but does not fire: whoever reads
// or writes asks for it, and then no timer is needed.
type bounded struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (b *bounded) Deadline() (time.Time, bool) { return b.at, true }
