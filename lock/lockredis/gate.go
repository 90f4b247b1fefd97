package lockredis

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
	"github.com/cohort-go/cohort/lock"
)

//go:embed gate.lua
var gateLua string

// A FenceGate keeps values in Redis that only the latest holder of a lock can
// write: a value accepts a fence if it has seen no larger one. Its methods are
// safe for concurrent use. The values live in <namespace>:lock:{resource}:gate,
// without an expiry.
type FenceGate struct {
	conn   conn
	script *script.Script
}

// NewFenceGate returns a FenceGate that borrows client. An empty namespace is
// "cohort". It does no I/O.
func NewFenceGate(client redis.UniversalClient, namespace string) (*FenceGate, error) {
	if err := errors.Join(redisconn.Check(client), rediskey.Namespace(namespace)); err != nil {
		return nil, fmt.Errorf("lockredis: %w", err)
	}
	c := conn{client: client, namespace: namespace, cluster: redisconn.IsCluster(client), timeout: rediserr.DefaultTimeout}
	return &FenceGate{conn: c, script: script.New(gateLua)}, nil
}

// Enter shows fence to resource before reading it: from then on no earlier holder
// can write. It reports lock.ErrStale if a larger fence was there.
func (g *FenceGate) Enter(ctx context.Context, resource string, fence uint64) error {
	return g.pass(ctx, resource, fence)
}

// Set writes value with fence, or reports lock.ErrStale and writes nothing if
// resource has seen a larger one.
func (g *FenceGate) Set(ctx context.Context, resource string, fence uint64, value []byte) error {
	return g.pass(ctx, resource, fence, value)
}

func (g *FenceGate) pass(ctx context.Context, resource string, fence uint64, value ...any) error {
	n, err := g.conn.names(resource, "gate")
	if err != nil {
		return err
	}
	args := append([]any{fmt.Sprintf("%020d", fence)}, value...)
	var passed int
	err = g.conn.retry(ctx, func(ctx context.Context) (err error) {
		passed, err = g.script.Run(ctx, g.conn.client, n.keys, args...).Int()
		return err
	})
	if err == nil && passed == 0 {
		err = fmt.Errorf("%w: %d for %s", lock.ErrStale, fence, resource)
	}
	return err
}

// Get returns the value of resource; nil if there is none.
func (g *FenceGate) Get(ctx context.Context, resource string) (value []byte, err error) {
	n, err := g.conn.names(resource, "gate")
	if err != nil {
		return nil, err
	}
	err = g.conn.retry(ctx, func(ctx context.Context) error {
		value, err = g.conn.client.HGet(ctx, n.keys[0], "value").Bytes()
		if errors.Is(err, redis.Nil) {
			value, err = nil, nil
		}
		return err
	})
	return value, err
}
