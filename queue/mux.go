package queue

import (
	"context"
	"fmt"
	"sync"
)

// Mux is a Handler for many kinds of messages on one queue: it calls the one
// that was registered for [Message.Kind]. A message of an unknown kind fails
// with [ErrUnknownKind], so that it is tried again, perhaps by a newer worker.
// The zero Mux is ready for use. All methods are safe for concurrent use.
type Mux struct {
	mu    sync.RWMutex
	kinds map[string]Handler
}

// NewMux returns an empty Mux.
func NewMux() *Mux { return &Mux{} }

// Handle registers h for kind; the last registration of a kind counts.
func (m *Mux) Handle(kind string, h Handler) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.kinds == nil {
		m.kinds = make(map[string]Handler)
	}
	m.kinds[kind] = h
}

// Serve is the Mux as a Handler: q.Consume(ctx, mux.Serve, opts).
func (m *Mux) Serve(ctx context.Context, d *Delivery) error {
	m.mu.RLock()
	h := m.kinds[d.Kind]
	m.mu.RUnlock()
	if h == nil {
		return fmt.Errorf("%w: %q", ErrUnknownKind, d.Kind)
	}
	return h(ctx, d)
}

// Handle registers a typed handler for kind. A payload that codec cannot read is
// dead at once: no further attempt would read it.
func Handle[T any](m *Mux, kind string, codec Codec[T], f func(ctx context.Context, v T, d *Delivery) error) {
	m.Handle(kind, typed(codec, f))
}

func typed[T any](codec Codec[T], f func(ctx context.Context, v T, d *Delivery) error) Handler {
	return func(ctx context.Context, d *Delivery) error {
		v, err := codec.Decode(d.Payload)
		if err != nil {
			return Dead(fmt.Errorf("decode %q: %w", d.Kind, err))
		}
		return f(ctx, v, d)
	}
}
