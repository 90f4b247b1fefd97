package queue

import (
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Options tune a Queue, whatever its backend. The zero value of each field means
// its default.
type Options struct {
	// MaxPayload bounds payload and headers of a message. Default 1 MiB.
	MaxPayload int
	// OpTimeout bounds a request to the backend whose caller gave no deadline,
	// and every request that callers share. Default 5 s.
	OpTimeout time.Duration
	// Hooks observe the queue.
	Hooks Hooks
	// Logger receives what background loops cannot return. Default: discard.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	var errs []error
	if o.MaxPayload < 0 {
		errs = append(errs, fmt.Errorf("MaxPayload is %d, want 0 or more", o.MaxPayload))
	}
	if o.OpTimeout < 0 {
		errs = append(errs, fmt.Errorf("OpTimeout is %v, want 0 or more", o.OpTimeout))
	}
	if o.MaxPayload == 0 {
		o.MaxPayload = 1 << 20
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, errors.Join(errs...)
}
