package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/cohort-go/cohort/internal/amqpurl"
	"github.com/cohort-go/cohort/internal/lifecycle"
)

// ConnOptions tune a Conn. The zero value of each field means its default.
type ConnOptions struct {
	// Logger receives the beginnings and ends of connections. Default: discard.
	Logger *slog.Logger
}

// Conn is a process' way to a broker: one connection to publish and one to consume,
// made when they are first needed and made again whenever they are lost. Any number
// of queues share it. All methods are safe for concurrent use.
type Conn struct {
	life             *lifecycle.Group
	publish, consume *link
}

// NewConn returns a Conn to the broker at urls, of which further ones are nodes of
// the same cluster that are tried in turn. It does no I/O. URLs have the form
// amqp://user:password@host:5672/vhost, or amqps with the parameters cacertfile,
// certfile, keyfile and server_name_indication; no error shows their secrets.
func NewConn(opts ConnOptions, urls ...string) (*Conn, error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if len(urls) == 0 {
		return nil, errors.New("queuerabbit: no URL")
	}
	var targets []*amqpurl.Target
	for _, raw := range urls {
		target, err := amqpurl.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("queuerabbit: %w", err)
		}
		targets = append(targets, target)
	}
	life := lifecycle.New(errClosedConn)
	return &Conn{
		life:    life,
		publish: newLink("publish", life, targets, opts.Logger),
		consume: newLink("consume", life, targets, opts.Logger),
	}, nil
}

// Ping reports whether the broker can be reached and is new enough.
func (c *Conn) Ping(ctx context.Context) error {
	s, err := c.publish.await(ctx)
	if err != nil {
		return fmt.Errorf("queuerabbit: %w", err)
	}
	if why := s.blockedFor(); why != "" {
		return fmt.Errorf("queuerabbit: %w: %s", ErrBlocked, why)
	}
	return nil
}

// Close ends both connections within ctx. Close the queues that use them first. A
// second Close returns nil.
func (c *Conn) Close(ctx context.Context) error {
	return c.life.Close(ctx, func(ctx context.Context) error {
		c.publish.end(ctx)
		c.consume.end(ctx)
		return nil
	})
}
