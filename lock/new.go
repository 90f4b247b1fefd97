package lock

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

// locker is the Locker on any Backend. Its state is a set of seats; all round
// trips are made without its mutex, on the goroutine of the waiter in front,
// of the holder who releases, or of a renewal.
type locker struct {
	backend Backend
	conf    Options
	tokens  *tokens
	group   *lifecycle.Group

	listen func() // each waiter behind a holder of this process calls it

	life context.Context // ends what Close leaves behind
	end  context.CancelFunc

	mu     sync.Mutex
	closed bool
	names  map[string]*seat // locks; a semaphore's waiters have a seat each
	seats  map[string]*seat // by token
	alarms alarms
	ring   func() // tick
}

var _ Locker = (*locker)(nil)

// New returns a Locker on a Backend, which it owns from then on: Close of the
// Locker closes it. Each Backend serves one Locker.
func New(b Backend, c Options) (Locker, error) {
	if b == nil {
		return nil, errors.New("lock: backend is nil")
	}
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	n := &locker{
		backend: b,
		conf:    c,
		tokens:  newTokens(),
		group:   lifecycle.New(ErrClosed),
		names:   make(map[string]*seat),
		seats:   make(map[string]*seat),
	}
	n.ring = n.tick
	n.listen = func() {}
	if b, ok := b.(Listener); ok {
		n.listen = b.Listen
	}
	n.life, n.end = context.WithCancel(context.Background())
	if err := b.Start(n.tokens.process, n); err != nil {
		n.end()
		return nil, err
	}
	return n, nil
}

// Acquire implements Locker.
func (n *locker) Acquire(ctx context.Context, name string, o Request) (*Lease, error) {
	return n.acquire(ctx, name, o, false)
}

// TryAcquire implements Locker.
func (n *locker) TryAcquire(ctx context.Context, name string, o Request) (*Lease, error) {
	return n.acquire(ctx, name, o, true)
}

func (n *locker) acquire(ctx context.Context, name string, o Request, try bool) (*Lease, error) {
	var began time.Time
	if n.conf.Hooks.Acquired != nil {
		began = time.Now()
	}
	l, err := n.take(ctx, name, o, try)
	if err != nil {
		return nil, opError("acquire", name, err)
	}
	n.conf.Hooks.acquired(ctx, l, began)
	return l, nil
}

func (n *locker) take(ctx context.Context, name string, o Request, try bool) (*Lease, error) {
	leave, err := n.group.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	o, err = o.check(name)
	if err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	w, err := n.sit(ctx, name, o, try)
	if err != nil {
		return nil, err
	}
	return n.await(w)
}

// Inspect implements Locker.
func (n *locker) Inspect(ctx context.Context, name string) (Info, error) {
	leave, err := n.group.Enter()
	if err != nil {
		return Info{}, opError("inspect", name, err)
	}
	defer leave()
	if err := CheckName(name); err != nil {
		return Info{}, opError("inspect", name, err)
	}
	info, err := n.backend.Inspect(ctx, name)
	info.Fence <<= turnBits
	return info, opError("inspect", name, err)
}
