package pubsub

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

var (
	_ PubSub    = (*Node)(nil)
	_ Barrierer = (*Node)(nil)
)

// Node is the PubSub that [NewNode] makes of a Backend.
type Node struct {
	backend Backend
	opts    Options
	name    string // unique
	life    *lifecycle.Group
	abort   context.Context // ends when Close may wait no longer
	giveAll context.CancelFunc
	writers []*writer
	buses   []*bus
	count   counters
	wall    barriers

	mu   sync.Mutex
	subs map[*subscription]struct{}
}

// NewNode returns a PubSub on a backend, which it owns: Close closes it. It does
// no I/O.
func NewNode(b Backend, opts Options) (*Node, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("pubsub: %w", err)
	}
	if n := b.Buses(); n < 1 || n > maxBuses {
		return nil, fmt.Errorf("pubsub: %d buses, want 1 to %d", n, maxBuses)
	}
	n := &Node{
		backend: b,
		opts:    opts,
		name:    fmt.Sprintf("%s-%016x", opts.Name, rand.Uint64()),
		life:    lifecycle.New(ErrClosed),
		subs:    make(map[*subscription]struct{}),
	}
	n.abort, n.giveAll = context.WithCancel(context.Background())
	for i := range b.Buses() {
		n.writers = append(n.writers, &writer{node: n, bus: i})
		n.buses = append(n.buses, newBus(n, i))
	}
	return n, nil
}

// Name is the node's name with its random part, as others see it.
func (n *Node) Name() string { return n.name }

// BusOf is the number of the bus that carries a channel, from 0.
func (n *Node) BusOf(channel string) int {
	if len(n.buses) == 1 {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(channel))
	return int(h.Sum32() % uint32(len(n.buses)))
}

// busesOf are the buses on which messages for p may come.
func (n *Node) busesOf(p pattern) []*bus {
	if p.plain() {
		i := n.BusOf(p.text)
		return n.buses[i : i+1]
	}
	return n.buses
}

// Position implements PubSub.
func (n *Node) Position() Position {
	var p Position
	for _, b := range n.buses {
		if mark, ok := b.position(); ok {
			p = p.with(b.index, mark)
		}
	}
	return p
}

// Stats implements PubSub.
func (n *Node) Stats() Stats {
	c := &n.count
	s := Stats{
		Published: c.published.Load(), Received: c.received.Load(), Handled: c.handled.Load(),
		Failed: c.failed.Load(), Panics: c.panics.Load(), Coalesced: c.coalesced.Load(),
		Gaps: c.gaps.Load(), Missed: c.missed.Load(), Repeats: c.repeats.Load(),
		Malformed: c.malformed.Load(), Abandoned: c.abandoned.Load(),
		Foreign: c.foreignInPages.Load(),
	}
	for _, sub := range n.subscriptions() {
		s.Subscriptions++
		s.Queued += int64(sub.waiting())
	}
	for _, b := range n.buses {
		s.Foreign += b.foreign.Load()
		s.Repairs += b.repairs.Load()
	}
	return s
}

// Ready implements PubSub.
func (n *Node) Ready(ctx context.Context) error {
	leave, err := n.life.Enter()
	if err != nil {
		return opError("ready", "", err)
	}
	defer leave()
	for _, b := range n.buses {
		if cause := b.staleCause(); cause != nil {
			return opError("ready", "", fmt.Errorf("%w: bus %d: %w", ErrNotReady, b.index, cause))
		}
	}
	if _, err := n.backend.Members(ctx, 0); err != nil {
		return opError("ready", "", fmt.Errorf("%w: %w", ErrNotReady, err))
	}
	return nil
}

// Close implements PubSub.
func (n *Node) Close(ctx context.Context) error {
	stop := context.AfterFunc(ctx, n.giveAll)
	defer stop()
	err := n.life.Close(ctx, n.release)
	n.giveAll()
	return opError("close", "", err)
}

// release ends all that the node runs, in the order in which one needs another.
func (n *Node) release(ctx context.Context) error {
	for _, w := range n.writers {
		w.withdraw(nil, ErrClosed)
	}
	var errs []error
	subs := n.subscriptions()
	for _, s := range subs {
		s.stop()
	}
	for _, s := range subs {
		errs = append(errs, s.end(ctx))
	}
	for _, b := range n.buses {
		errs = append(errs, b.close(ctx))
	}
	for _, w := range n.writers {
		errs = append(errs, w.idle(ctx))
	}
	errs = append(errs, n.backend.Close(ctx, n.name))
	return errors.Join(errs...)
}

func (n *Node) subscriptions() []*subscription {
	n.mu.Lock()
	defer n.mu.Unlock()
	subs := make([]*subscription, 0, len(n.subs))
	for s := range n.subs {
		subs = append(subs, s)
	}
	return subs
}
