package workerid

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/internal/lifecycle"
)

var _ Allocator = (*allocator)(nil)

type allocator struct {
	backend Backend
	opts    Options
	terms   Terms
	clock   *clock
	fresh   atomic.Bool
	group   *lifecycle.Group

	mu     sync.Mutex
	leases map[*Lease]struct{}
}

// New returns an Allocator over b, which it borrows: Close leaves b as it is. It
// does no I/O. An error lists every problem of opts.
func New(b Backend, opts Options) (Allocator, error) {
	return open(b, opts, time.Now)
}

func open(b Backend, opts Options, wall func() time.Time) (*allocator, error) {
	opts, err := opts.withDefaults()
	if b == nil {
		err = errors.Join(errors.New("backend is nil"), err)
	}
	if err != nil {
		return nil, fmt.Errorf("workerid: %w", err)
	}
	a := &allocator{
		backend: b, opts: opts, terms: opts.terms(), clock: newClock(wall),
		group: lifecycle.New(ErrClosed), leases: make(map[*Lease]struct{}),
	}
	a.fresh.Store(opts.Fresh)
	return a, nil
}

// Acquire implements Allocator.
func (a *allocator) Acquire(ctx context.Context, r Request) (*Lease, error) {
	leave, err := a.group.Enter()
	if err != nil {
		return nil, &OpError{Op: "acquire", ID: -1, Err: err}
	}
	defer leave()
	l, err := a.acquire(ctx, r)
	if err != nil {
		return nil, &OpError{Op: "acquire", ID: -1, Err: err}
	}
	return l, nil
}

func (a *allocator) acquire(ctx context.Context, r Request) (*Lease, error) {
	r, err := r.withDefaults(a.opts)
	if err != nil {
		return nil, err
	}
	var full *ExhaustedError // the last answer of a full range
	for polls := 0; ; polls++ {
		l, err := a.take(ctx, r)
		answer, ok := errors.AsType[*ExhaustedError](err)
		switch {
		case !ok && full != nil && ctx.Err() != nil:
			return nil, fmt.Errorf("%w: %w", err, full)
		case !ok || !r.Wait:
			return l, err
		}
		full = answer
		if err := a.sleep(ctx, a.poll(full, polls)); err != nil {
			return nil, fmt.Errorf("%w: %w", err, full)
		}
	}
}

// polling is how often a full range is looked at: a number can be given back at
// any time.
var polling = backoff.Policy{Base: 20 * time.Millisecond, Max: time.Second, Jitter: 0.5}

// poll is the time to wait before a full range is looked at again.
func (a *allocator) poll(full *ExhaustedError, polls int) time.Duration {
	expiry := millis(full.FirstExpiry.UnixMilli() - a.clock.now())
	return min(polling.Delay(polls), max(expiry, polling.Base))
}

// take asks for a number once. A reply that got lost costs no number: backends
// repeat the request with its token, and if they gave up the token is given back.
func (a *allocator) take(ctx context.Context, r Request) (*Lease, error) {
	t := tenure{terms: a.terms, token: rand.Text(), text: r.Holder}
	req := t.acquire(a.clock.now(), rand.Text(), mathrand.Uint32())
	req.Fresh = a.fresh.Load()
	if r.Preferred != nil {
		req.Preferred = *r.Preferred
	}
	sent := time.Now()
	var grant Grant
	err := a.attempt(ctx, func(ctx context.Context) (err error) {
		grant, err = a.backend.Acquire(ctx, req)
		return err
	})
	switch {
	case err == nil:
	case decided(err):
		return nil, err
	default:
		a.abandon(&t)
		return nil, err
	}
	a.fresh.Store(false)
	offset := a.observe(grant, sent)
	t.begin(grant, a.clock.read())
	l := newLease(a, t, offset)
	if err := a.adopt(ctx, l); err != nil {
		return nil, err
	}
	return l, nil
}

// decided reports whether err is the server's answer, so that nothing is held.
func decided(err error) bool {
	return slices.ContainsFunc([]error{ErrExhausted, ErrClockBehind, ErrClockAhead, ErrConfigMismatch},
		func(target error) bool { return errors.Is(err, target) })
}

// abandon gives back, in the background, a number that may have been granted in
// a reply that never came.
func (a *allocator) abandon(t *tenure) {
	r := t.release(0)
	r.ID = -1
	a.group.Go("abandon", func(context.Context) {
		ctx, cancel := context.WithTimeout(context.Background(), a.opts.OpTimeout)
		defer cancel()
		if err := a.backend.Release(ctx, r); err != nil {
			a.opts.Logger.Warn("a worker number may stay held until it expires", slog.Any("error", err))
		}
	})
}

// adopt starts the renewal of l, or gives l back if Close came first.
func (a *allocator) adopt(ctx context.Context, l *Lease) error {
	a.mu.Lock()
	a.leases[l] = struct{}{}
	a.mu.Unlock()
	if !a.group.Go("renewal", l.keep) {
		return errors.Join(ErrClosed, l.release(ctx))
	}
	a.opts.Hooks.acquired(l)
	return nil
}
