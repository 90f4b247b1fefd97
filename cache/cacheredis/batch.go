package cacheredis

import (
	"context"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

// batcher lets concurrent calls share round trips: a caller sends at once when
// none is under way, and on its own goroutine; those who come meanwhile ride
// together on the next. Nobody rides on a request that was already sent.
type batcher[C batched] struct {
	group   *lifecycle.Group
	name    string
	limit   int
	timeout time.Duration
	send    func(ctx context.Context, calls []C)

	mu    sync.Mutex
	busy  bool
	queue []C
}

// batched is one call of a batcher.
type batched interface {
	key() string // calls of one key never share a request; "" if they may
	ready() chan struct{}
	fail(error)
}

// do returns once c was sent and answered. sent is false if ctx ended before.
func (b *batcher[C]) do(ctx context.Context, c C) (sent bool, err error) {
	b.mu.Lock()
	if !b.busy {
		b.busy = true
		b.mu.Unlock()
		b.send(ctx, []C{c})
		b.next()
		return true, nil
	}
	b.queue = append(b.queue, c)
	b.mu.Unlock()
	select {
	case <-c.ready():
		return true, nil
	case <-ctx.Done():
		return !b.withdraw(c), context.Cause(ctx)
	}
}

// withdraw takes c out of the queue; it reports false if c was sent already.
func (b *batcher[C]) withdraw(c C) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.queue {
		if b.queue[i].ready() == c.ready() {
			b.queue = append(b.queue[:i], b.queue[i+1:]...)
			return true
		}
	}
	return false
}

// next lets those who wait go on, on a goroutine that lasts as long as they come.
func (b *batcher[C]) next() {
	calls := b.take()
	if len(calls) == 0 {
		return
	}
	started := b.group.Go(b.name, func(context.Context) {
		for ; len(calls) > 0; calls = b.take() {
			b.run(calls)
		}
	})
	for !started && len(calls) > 0 { // closed meanwhile
		for _, c := range calls {
			c.fail(context.Cause(b.group.Context()))
			close(c.ready())
		}
		calls = b.take()
	}
}

func (b *batcher[C]) run(calls []C) {
	ctx, cancel := context.WithTimeout(b.group.Context(), b.timeout)
	defer cancel()
	b.send(ctx, calls)
	for _, c := range calls {
		close(c.ready())
	}
}

// take returns the calls of the next request, at most one of each key. Without
// any the batcher is idle again.
func (b *batcher[C]) take() []C {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.busy = len(b.queue) > 0
	n := min(len(b.queue), b.limit)
	seen := make(map[string]struct{}, n)
	for i, c := range b.queue[:n] {
		key := c.key()
		if _, again := seen[key]; again && key != "" {
			n = i
			break
		}
		seen[key] = struct{}{}
	}
	calls := b.queue[:n:n]
	b.queue = b.queue[n:]
	return calls
}
