package queue

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// ConsumeOptions tune one Consumer. The zero value of each field means its
// default.
type ConsumeOptions struct {
	// Concurrency is how many handlers run at once. Default 16.
	Concurrency int
	// Prefetch bounds the messages that are held beyond those that run; how many
	// are held follows the pace of the handlers. Default 1000, negative none.
	Prefetch int
	// Lease is how long a message stays with a worker that is not heard of any
	// more. It is renewed for running and for held messages. Default 30 s, at
	// least 100 ms.
	Lease time.Duration
	// Timeout bounds a run of a message that has no Timeout. Default 30 min.
	Timeout time.Duration
	// Backoff is the pause after a failure. Default DefaultBackoff.
	Backoff Backoff
	// Middleware wraps the handler; the first is the outermost.
	Middleware []Middleware

	// RateLimit bounds the claims of this Consumer, ClusterRate those of all
	// consumers of the queue that set it alike.
	RateLimit   Rate
	ClusterRate Rate
	// MaxInFlight bounds the leased messages of the whole queue; a Consumer then
	// holds no more than it runs.
	MaxInFlight int

	// Accepting is asked before each claim, and now and then: while it reports
	// false, held messages go back and none are claimed. Wake makes a change
	// known at once. It must not block. Nil means always.
	Accepting func() bool
	// ShutdownGrace is how long Close lets handlers run on before their ctx
	// ends. Default 10 s, negative none; the ctx of Close bounds it too.
	ShutdownGrace time.Duration
	// Name of the Consumer in Inspector.Consumers. Default: host, process id and
	// a random part.
	Name string
	// OnError receives what no caller can: failed claims, lost leases, panics,
	// unknown kinds, stuck handlers. It must not block. Nil means Options.Logger.
	OnError func(error)
}

// DefaultBackoff doubles from 1 s to 1 h, less up to a fifth by chance.
func DefaultBackoff() Backoff {
	p := backoff.Policy{Base: time.Second, Max: time.Hour, Jitter: 0.2}
	return func(failures int, _ error) time.Duration { return p.Delay(failures - 1) }
}

func (o ConsumeOptions) withDefaults(q *core) (ConsumeOptions, error) {
	if err := o.check(); err != nil {
		return o, err
	}
	o.Concurrency = or(o.Concurrency, 16)
	o.Prefetch = max(or(o.Prefetch, 1000), 0)
	o.Lease = or(o.Lease, 30*time.Second)
	o.Timeout = or(o.Timeout, 30*time.Minute)
	o.ShutdownGrace = max(or(o.ShutdownGrace, 10*time.Second), 0)
	o.Name = or(o.Name, consumerName())
	if o.MaxInFlight > 0 {
		o.Prefetch = 0
	}
	if o.Backoff == nil {
		o.Backoff = DefaultBackoff()
	}
	if o.OnError == nil {
		o.OnError = func(err error) { q.opts.Logger.Error("queue consumer", "queue", q.name, "err", err) }
	}
	var need Capability
	if o.MaxInFlight > 0 {
		need |= CanLimitInFlight
	}
	if o.ClusterRate != (Rate{}) {
		need |= CanLimitRate
	}
	return o, q.require(need)
}

func (o *ConsumeOptions) check() error {
	var errs []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			errs = append(errs, fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...))
		}
	}
	refuse(o.Concurrency < 0 || o.Concurrency > MaxBatch, "Concurrency is %d, want 1 to %d", o.Concurrency, MaxBatch)
	refuse(o.Lease != 0 && o.Lease < minLease, "Lease is %v, at least %v", o.Lease, minLease)
	refuse(o.Timeout < 0, "Timeout is %v", o.Timeout)
	refuse(o.MaxInFlight < 0, "MaxInFlight is %d", o.MaxInFlight)
	for _, r := range []Rate{o.RateLimit, o.ClusterRate} {
		refuse(!r.valid(), "Rate is %+v", r)
	}
	return errors.Join(errs...)
}

const minLease = 100 * time.Millisecond

// or returns v, or def if v is the zero value.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

func consumerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails: it ends the program instead
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), hex.EncodeToString(id[:]))
}

// Consume implements Queue.
func (q *core) Consume(ctx context.Context, h Handler, opts ConsumeOptions) (*Consumer, error) {
	leave, err := q.life.Enter()
	if err != nil {
		return nil, q.fail("consume", err)
	}
	defer leave()
	if h == nil {
		return nil, q.fail("consume", fmt.Errorf("%w: handler is nil", ErrInvalid))
	}
	opts, err = opts.withDefaults(q)
	if err != nil {
		return nil, q.fail("consume", err)
	}
	for _, v := range slices.Backward(opts.Middleware) {
		h = v(h)
	}
	c := newConsumer(ctx, q, h, opts)
	q.mu.Lock()
	q.consumers[c] = struct{}{}
	q.mu.Unlock()
	c.start(ctx)
	return c, nil
}
