package pubsub

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
)

// barriers are those that this node waits for. A Barrier is an entry on each
// bus; a node answers, by an entry on bus 0, once all its subscriptions have
// passed it.
type barriers struct {
	mu   sync.Mutex
	mine map[string]*barrier // by the ID of its entry
}

// barrier is one entry that the nodes in left have not passed yet.
type barrier struct {
	left map[string]bool
	done chan struct{}
}

// Barrier implements Barrierer.
func (n *Node) Barrier(ctx context.Context) (BarrierResult, error) {
	r, err := n.barrier(ctx)
	return r, opError("barrier", "", err)
}

func (n *Node) barrier(ctx context.Context) (BarrierResult, error) {
	leave, err := n.life.Enter()
	if err != nil {
		return BarrierResult{}, err
	}
	defer leave()
	if inHandler(ctx) != nil {
		return BarrierResult{}, ErrInHandler
	}
	if err := n.buses[0].listen(ctx); err != nil { // the answers come there
		return BarrierResult{}, fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	all := make(map[string]bool) // by node, whether it has passed
	var waits []*barrier
	var items []item
	var on []int
	for _, b := range n.buses {
		members, err := n.backend.Members(ctx, b.index)
		if err != nil {
			return BarrierResult{}, err
		}
		if len(members) == 0 {
			continue
		}
		id := fmt.Sprintf("%016x%016x", rand.Uint64(), rand.Uint64())
		w := n.wall.expect(id, members)
		defer n.wall.forget(id)
		waits = append(waits, w)
		items = append(items, item{index: len(items), entry: encode(&Message{Payload: []byte(id)}, n.name, flagBarrier)})
		on = append(on, b.index)
		for _, m := range members {
			all[m] = true
		}
	}
	for _, r := range n.deliver(ctx, items, func(i int) int { return on[i] }) {
		if r.Err != nil {
			return BarrierResult{}, r.Err
		}
	}
	return n.wall.wait(ctx, waits, all)
}

// expect waits for the answer of each member.
func (w *barriers) expect(id string, members []string) *barrier {
	b := &barrier{left: make(map[string]bool), done: make(chan struct{})}
	for _, m := range members {
		b.left[m] = true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mine == nil {
		w.mine = make(map[string]*barrier)
	}
	w.mine[id] = b
	return b
}

func (w *barriers) forget(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.mine, id)
}

// wait returns once every barrier was passed by every member. all has the names
// of all nodes.
func (w *barriers) wait(ctx context.Context, waits []*barrier, all map[string]bool) (BarrierResult, error) {
	var err error
	for _, b := range waits {
		select {
		case <-b.done:
		case <-ctx.Done():
			err = fmt.Errorf("%w: %w", ErrBarrierTimeout, context.Cause(ctx))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	missing := make(map[string]bool)
	for _, b := range waits {
		maps.Copy(missing, b.left)
	}
	for name := range missing {
		delete(all, name)
	}
	r := BarrierResult{Passed: slices.Sorted(maps.Keys(all)), Missing: slices.Sorted(maps.Keys(missing))}
	if len(r.Missing) == 0 {
		return r, nil
	}
	return r, err
}

// control takes in the entries of barriers. The bus' mu is held.
func (w *barriers) control(b *bus, env *envelope) {
	id := string(env.payload)
	if env.flags&flagPassed != 0 {
		w.passed(id, string(env.node))
		return
	}
	subs := make(map[*subscription]bool)
	for f := range b.routes.all {
		subs[f.sub] = true
	}
	n, left := b.node, int64(len(subs))
	if left == 0 {
		n.answer(id)
		return
	}
	var mu sync.Mutex
	for s := range subs {
		s.token(func() {
			mu.Lock()
			defer mu.Unlock()
			if left--; left == 0 {
				n.answer(id)
			}
		})
	}
}

func (w *barriers) passed(id, node string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := w.mine[id]
	if b == nil || len(b.left) == 0 {
		return
	}
	delete(b.left, node)
	if len(b.left) == 0 {
		close(b.done)
	}
}

// answer tells that this node has passed a barrier.
func (n *Node) answer(id string) {
	n.life.Go("barrier answer", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, n.opts.OpTimeout)
		defer cancel()
		items := []item{{entry: encode(&Message{Payload: []byte(id)}, n.name, flagPassed)}}
		n.deliver(ctx, items, func(int) int { return 0 })
	})
}
