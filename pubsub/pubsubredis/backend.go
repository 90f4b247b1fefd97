package pubsubredis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/lifecycle"
	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/redisstream"
	"github.com/cohort-go/cohort/pubsub"
)

// backend is the pubsub.Backend of one node.
type backend struct {
	client redis.UniversalClient
	opts   Options
	buses  []*bus
	ending *lifecycle.Group // readers that never started, until they have ended
}

// bus is one stream.
type bus struct {
	stream  *redisstream.Stream
	trimmed timer
}

func newBackend(c redis.UniversalClient, o *Options) (*backend, error) {
	if err := redisconn.Check(c); err != nil {
		return nil, err
	}
	var err error
	if *o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	if log := o.Logger; log != nil && !redisconn.HonoursDeadlines(c) {
		log.Warn("pubsubredis: the client has ContextTimeoutEnabled off: calls can outlive their context",
			slog.String("bus", o.Bus))
	}
	b := &backend{client: c, opts: *o, ending: lifecycle.New(pubsub.ErrClosed)}
	for i := range o.Buses {
		name := o.Bus
		if o.Buses > 1 {
			name += "." + strconv.Itoa(i)
		}
		stream, err := redisstream.New(c, redisstream.Options{
			Namespace: o.Namespace, Area: "pubsub", Name: name, MaxLen: o.MaxLen,
		})
		if err != nil {
			return nil, fmt.Errorf("bus %q: %w", name, err)
		}
		b.buses = append(b.buses, &bus{stream: stream})
	}
	return b, nil
}

// Buses implements pubsub.Backend.
func (b *backend) Buses() int { return len(b.buses) }

// memberTTL is how long a node counts as alive after its last question, which
// comes every 8 s at least.
const memberTTL = 15 * time.Second

// Members implements pubsub.Backend.
func (b *backend) Members(ctx context.Context, i int) ([]string, error) {
	return b.buses[i].stream.Members(ctx, memberTTL)
}

// Close implements pubsub.Backend. Where there is no time left the others will
// forget the node by themselves.
func (b *backend) Close(ctx context.Context, node string) error {
	var errs []error
	for _, bus := range b.buses {
		if ctx.Err() != nil {
			break
		}
		errs = append(errs, bus.stream.Leave(ctx, node))
	}
	err := errors.Join(errs...)
	if err != nil {
		err = fmt.Errorf("leave: %w", err)
	}
	return errors.Join(err, b.ending.Close(ctx, nil))
}
