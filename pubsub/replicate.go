package pubsub

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// ReplicaSpec says how a Replica gets and changes its value.
type ReplicaSpec[S, M any] struct {
	// Codec reads and writes the signals. It is needed by Apply and Signal.
	Codec Codec[M]
	// Load reads the value from where the truth stands, such as a database. It is
	// called when the Replica starts, after every Gap, after an Apply that failed,
	// and without an Apply for every signal.
	Load func(ctx context.Context) (S, error)
	// Apply returns the value after a signal, from the value before it, which it
	// must not change. The value may know of the signal already: what Load read
	// can be newer than the place in the order at which it was read. Optional.
	Apply func(S, M) (S, error)
	// Retry is the wait after a Load that failed: Base, doubled each time up to
	// Max. Default 100 ms and 5 s. Attempts is ignored: Load is tried until it
	// succeeds or the Replica is closed.
	Retry Retry
	// OnChange is called with each new value, in order. It must not block.
	// Optional.
	OnChange func(S)
}

// Replica is a value in this node's memory that follows the signals of one
// channel. All methods are safe for concurrent use.
type Replica[S, M any] struct {
	ps      PubSub
	channel string
	spec    ReplicaSpec[S, M]
	sub     Subscription
	first   chan struct{} // closed once the value is loaded

	value atomic.Pointer[S]

	mu  sync.Mutex
	err error

	// loaded is the place that the last Load covers. Only the handler uses it.
	loaded Position
}

// Replicate loads a value and keeps it in step with the signals of a channel. It
// fixes the position, then loads, then applies what came since, in order; after
// a [Gap] it loads again. It returns once the value is loaded, or with an error
// when ctx ends before that.
//
// Whoever changes the truth sends a signal afterwards, by [Replica.Signal] or
// Publish.
func Replicate[S, M any](ctx context.Context, ps PubSub, channel string, spec ReplicaSpec[S, M]) (*Replica[S, M], error) {
	if spec.Load == nil {
		return nil, opError("replicate", channel, errors.New("spec has no Load"))
	}
	if spec.Apply != nil && spec.Codec == nil {
		return nil, opError("replicate", channel, errors.New("spec has Apply, but no Codec"))
	}
	setDefault(&spec.Retry.Base, 100*time.Millisecond)
	setDefault(&spec.Retry.Max, 5*time.Second)
	r := &Replica[S, M]{ps: ps, channel: channel, spec: spec, first: make(chan struct{})}
	if err := r.start(ctx); err != nil {
		return nil, opError("replicate", channel, err)
	}
	return r, nil
}

// start subscribes and loads. The handler waits for the load, so that nothing is
// applied to no value.
func (r *Replica[S, M]) start(ctx context.Context) error {
	sub, err := r.ps.Subscribe(ctx, r.channel, r.handle, SubscribeOptions{
		OnGap: func(ctx context.Context, _ Gap) error {
			<-r.first
			return r.load(ctx)
		},
		OnError: func(_ *Delivery, err error) { r.setErr(err) },
	})
	if err != nil {
		return err
	}
	r.sub = sub
	defer close(r.first)
	if err := r.load(ctx); err != nil {
		over, cancel := context.WithCancel(context.Background())
		cancel()
		_ = sub.Close(over)
		return err
	}
	return nil
}

func (r *Replica[S, M]) handle(ctx context.Context, d *Delivery) error {
	<-r.first
	if r.loaded.Covers(d.Position()) {
		return nil // the load was later
	}
	if r.spec.Apply == nil {
		return r.load(ctx)
	}
	m, err := r.spec.Codec.Decode(d.Payload)
	if err != nil {
		r.setErr(fmt.Errorf("%w: %w", ErrDecode, err))
		return r.load(ctx)
	}
	next, err := r.apply(m)
	if err != nil {
		r.setErr(err)
		return r.load(ctx)
	}
	r.set(next)
	return nil
}

// load reads the value until it succeeds or ctx ends. A signal before the
// position at which the load began has nothing that the value lacks.
func (r *Replica[S, M]) load(ctx context.Context) error {
	wait := backoff.Policy{Base: r.spec.Retry.Base, Max: r.spec.Retry.Max, Jitter: 0.2}
	for n := 0; ; n++ {
		at := r.ps.Position()
		value, err := r.tryLoad(ctx)
		if err == nil {
			r.loaded = at
			r.setErr(nil)
			r.set(value)
			return nil
		}
		r.setErr(err)
		if sleep := backoff.Sleep(ctx, wait.Delay(n)); sleep != nil {
			return errors.Join(sleep, err)
		}
	}
}

func (r *Replica[S, M]) tryLoad(ctx context.Context) (value S, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("load: %w: %v", ErrPanic, v)
		}
	}()
	value, err = r.spec.Load(ctx)
	if err != nil {
		err = fmt.Errorf("load: %w", err)
	}
	return value, err
}

func (r *Replica[S, M]) apply(m M) (next S, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("apply: %w: %v", ErrPanic, v)
		}
	}()
	next, err = r.spec.Apply(*r.value.Load(), m)
	if err != nil {
		err = fmt.Errorf("apply: %w", err)
	}
	return next, err
}

func (r *Replica[S, M]) set(value S) {
	r.value.Store(&value)
	if r.spec.OnChange != nil {
		r.spec.OnChange(value)
	}
}

func (r *Replica[S, M]) setErr(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

// Get returns the value. It is shared: treat it as immutable.
func (r *Replica[S, M]) Get() S { return *r.value.Load() }

// Err returns nil while the value is in step, or why it could not be loaded or
// changed since.
func (r *Replica[S, M]) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return opError("replicate", r.channel, r.err)
}

// Signal tells every other node. This node's value is not changed: who signals
// knows the change. To have it applied here as well, publish it.
func (r *Replica[S, M]) Signal(ctx context.Context, m M) (Receipt, error) {
	if r.spec.Codec == nil {
		err := opError("signal", r.channel, errors.New("spec has no Codec"))
		return Receipt{Err: err}, err
	}
	return NewTopic(r.ps, r.channel, r.spec.Codec).Signal(ctx, m)
}

// Publish tells every node, this one included.
func (r *Replica[S, M]) Publish(ctx context.Context, m M) (Receipt, error) {
	if r.spec.Codec == nil {
		err := opError("publish", r.channel, errors.New("spec has no Codec"))
		return Receipt{Err: err}, err
	}
	return NewTopic(r.ps, r.channel, r.spec.Codec).Publish(ctx, m)
}

// WaitFor returns nil once the value has everything up to p, such as the
// Position of a Receipt that another node handed over.
func (r *Replica[S, M]) WaitFor(ctx context.Context, p Position) error {
	if err := r.sub.WaitFor(ctx, p); err != nil {
		return err
	}
	return r.Err()
}

// Close ends the Replica; Get keeps returning its last value.
func (r *Replica[S, M]) Close(ctx context.Context) error { return r.sub.Close(ctx) }
