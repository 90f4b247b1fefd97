package pubsubredis

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub"
)

var (
	_ pubsub.PubSub    = (*PubSub)(nil)
	_ pubsub.Barrierer = (*PubSub)(nil)
)

// PubSub is a pubsub.PubSub over Redis.
type PubSub struct {
	*pubsub.Node

	backend *backend
}

// New returns a PubSub that borrows c: Close leaves it open. It does no I/O; the
// first call reports an unreachable server. A *redis.Ring, and a client that
// reads from replicas, is refused: an order needs one place.
func New(c redis.UniversalClient, o Options) (*PubSub, error) {
	b, err := newBackend(c, &o)
	if err != nil {
		return nil, fmt.Errorf("pubsubredis: %w", err)
	}
	n, err := pubsub.NewNode(b, o.Options)
	if err != nil {
		return nil, err
	}
	return &PubSub{Node: n, backend: b}, nil
}

// NewBackend returns what New makes a PubSub of, to be wrapped and handed to
// pubsub.NewNode.
func NewBackend(c redis.UniversalClient, o Options) (pubsub.Backend, error) {
	b, err := newBackend(c, &o)
	if err != nil {
		return nil, fmt.Errorf("pubsubredis: %w", err)
	}
	return b, nil
}
