package pubsub

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// bus is one log as this node follows it: it hands each message to the
// subscriptions that match.
type bus struct {
	node  *Node
	index int

	starting chan struct{} // holds one token: the right to start or close the listener
	listener Listener      // set once, under the token and mu

	mu      sync.Mutex // also orders what the feed brings; before subscription.mu
	mark    Mark       // the place after the last entry handed out
	routes  routes
	repeats repeats
	names   map[string]string // of nodes, so that each has one string
	waiters []waiter
	stale   error

	foreign, repairs atomic.Int64
}

// waiter waits until the bus has brought the entry with ordinal n.
type waiter struct {
	n    int64
	done chan struct{}
}

func newBus(n *Node, index int) *bus {
	return &bus{
		node: n, index: index,
		starting: make(chan struct{}, 1),
		routes:   newRoutes(),
		names:    make(map[string]string),
	}
}

// claim takes the right to start or close the listener. It does so even if ctx
// has ended, as long as nobody else has it.
func (b *bus) claim(ctx context.Context) error {
	select {
	case b.starting <- struct{}{}:
		return nil
	default:
	}
	select {
	case b.starting <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// listen returns once the bus is followed.
func (b *bus) listen(ctx context.Context) error {
	if err := b.claim(ctx); err != nil {
		return err
	}
	defer func() { <-b.starting }()
	if b.listener != nil {
		return nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	closing := b.node.life.Context()
	defer context.AfterFunc(closing, func() { cancel(ErrClosed) })()
	l, err := b.node.backend.Listen(ctx, b.index, b.node.name, Feed{
		Entries: b.entries, Gap: b.gap, Absent: b.absent,
		Stale: b.cutOff, Fresh: b.fresh, Counts: b.counts,
	})
	if err != nil {
		return err
	}
	if closing.Err() != nil { // Close may not have waited
		return errors.Join(ErrClosed, l.Close(closing))
	}
	at := l.Position()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.listener = l
	if b.mark.N == 0 { // the feed has brought nothing yet
		b.mark = at
	}
	b.mark.Base, b.mark.Run = at.Base, at.Run
	return nil
}

func (b *bus) close(ctx context.Context) error {
	if err := b.claim(ctx); err != nil {
		return err
	}
	defer func() { <-b.starting }()
	if b.listener == nil {
		return nil
	}
	return b.listener.Close(ctx)
}

func (b *bus) position() (Mark, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mark, b.listener != nil
}

// entries hands out what the feed brings.
func (b *bus) entries(entries []Entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slab := make([]Delivery, 0, len(entries))
	for i := range entries {
		e := &entries[i]
		b.mark.N, b.mark.ID = e.N, e.ID
		env, err := decode(e.Data)
		switch {
		case err != nil:
			b.node.count.malformed.Add(1)
		case b.repeats.seen(env.origin):
			b.node.count.repeats.Add(1)
		case env.flags&(flagBarrier|flagPassed) != 0:
			b.node.wall.control(b, &env)
		default:
			slab = b.route(slab, &env)
		}
	}
	b.node.count.received.Add(int64(len(slab)))
	b.wakeWaiters()
}

// route makes a Delivery of a message that somebody matches, in the slab, and
// queues it.
func (b *bus) route(slab []Delivery, env *envelope) []Delivery {
	r := b.routes.of(env.channel)
	if len(r.feeds) == 0 {
		return slab
	}
	slab = append(slab, newDelivery(b.index, b.mark, env))
	d := &slab[len(slab)-1]
	d.Channel, d.Node = r.channel, b.nameOf(env.node)
	d.Self = d.Node == b.node.name
	for _, f := range r.feeds {
		f.push(d)
	}
	return slab
}

// newDelivery has all but what is remembered from one message to the next.
func newDelivery(b int, at Mark, env *envelope) Delivery {
	return Delivery{
		Payload: env.payload, Headers: env.headers, Key: string(env.key),
		mark: at, bus: b, origin: env.origin,
		skipSelf: env.flags&flagSkipSelf != 0, onlySelf: env.flags&flagOnlySelf != 0,
	}
}

// nameOf is the node's name as a string, the same for each of its messages.
func (b *bus) nameOf(node []byte) string {
	name, ok := b.names[string(node)]
	if !ok {
		if len(b.names) >= maxPublishers {
			clear(b.names)
		}
		name = string(node)
		b.names[name] = name
	}
	return name
}

// gap puts a Gap in the queue of each subscription of the bus.
func (b *bus) gap(reason GapReason, missed int64, after, resume Mark) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mark = resume
	g := Gap{Reason: reason, Missed: missed, After: positionOf(b.index, after), Resume: positionOf(b.index, resume)}
	for f := range b.routes.all {
		f.gap(g, resume)
	}
	b.wakeWaiters()
}

// absent tells each subscription that the others had given up on this node.
func (b *bus) absent() {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := positionOf(b.index, b.mark)
	for f := range b.routes.all {
		f.gap(Gap{Reason: GapAbsent, After: at, Resume: at}, b.mark)
	}
}

func (b *bus) cutOff(cause error) {
	b.mu.Lock()
	b.stale = cause
	b.mu.Unlock()
	b.node.opts.Hooks.stale(cause)
}

func (b *bus) fresh(time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stale = nil
}

func (b *bus) counts(foreign, repairs int64) {
	b.foreign.Store(foreign)
	b.repairs.Store(repairs)
}

func (b *bus) staleCause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stale
}

// waitFor returns once the bus has brought the entry with ordinal n.
func (b *bus) waitFor(ctx context.Context, n int64) error {
	b.mu.Lock()
	if b.mark.N >= n {
		b.mu.Unlock()
		return nil
	}
	w := waiter{n: n, done: make(chan struct{})}
	b.waiters = append(b.waiters, w)
	b.mu.Unlock()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.waiters {
		if b.waiters[i].done == w.done {
			b.waiters = append(b.waiters[:i], b.waiters[i+1:]...)
			break
		}
	}
	return context.Cause(ctx)
}

// wakeWaiters ends the waits that are over. The caller holds mu.
func (b *bus) wakeWaiters() {
	if len(b.waiters) == 0 {
		return
	}
	kept := b.waiters[:0]
	for _, w := range b.waiters {
		if w.n <= b.mark.N {
			close(w.done)
		} else {
			kept = append(kept, w)
		}
	}
	b.waiters = kept
}
