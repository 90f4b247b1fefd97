package queue

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

// flushes lets concurrent producers share round trips: one batch is under way at
// a time, and whoever comes meanwhile rides on the next. A batch runs under its
// own timeout, so no caller's ctx can spoil the batch of others.
type flushes struct {
	send    func(ctx context.Context, batch []Envelope) ([]error, error)
	timeout time.Duration
	life    *lifecycle.Group
	apart   bool // nobody shares: the backend is pipelined

	mu      sync.Mutex
	waiting []*passenger
	sending bool
}

// passenger is one caller's messages on their way.
type passenger struct {
	batch []Envelope
	size  int
	sent  bool
	done  chan struct{}
	errs  []error
	err   error
}

// join stores batch and returns an error for each message, or one for all. A
// ctx that ends before the batch was sent takes it out; afterwards the outcome
// is unknown.
func (f *flushes) join(ctx context.Context, batch []Envelope) ([]error, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if f.apart {
		return f.sendBounded(ctx, batch)
	}
	if f.alone() {
		return f.sendAlone(ctx, batch)
	}
	p := &passenger{batch: batch, done: make(chan struct{})}
	for i := range batch {
		p.size += batch[i].size()
	}
	if !f.board(p) {
		return nil, ErrClosed
	}
	select {
	case <-p.done:
		return p.errs, p.err
	case <-ctx.Done():
		if f.leave(p) {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %w", ErrUncertain, context.Cause(ctx))
	}
}

// alone reports that no batch is under way, and begins one.
func (f *flushes) alone() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.sending {
		return false
	}
	f.sending = true
	return true
}

// sendAlone is a batch of a single caller: it needs no other goroutine, and its
// own ctx may bound it. Whoever came meanwhile is handed over to run.
func (f *flushes) sendAlone(ctx context.Context, batch []Envelope) ([]error, error) {
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.sending = len(f.waiting) > 0; !f.sending {
			return
		}
		if !f.life.Go("enqueue", func(context.Context) { f.run() }) {
			go f.run() // the queue closes, and waits for its callers
		}
	}()
	return f.sendBounded(ctx, batch)
}

// sendBounded sends under the caller's ctx, and the queue's own timeout where it has
// no deadline.
func (f *flushes) sendBounded(ctx context.Context, batch []Envelope) ([]error, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.timeout)
		defer cancel()
	}
	return f.send(ctx, batch)
}

func (f *flushes) board(p *passenger) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.sending && !f.life.Go("enqueue", func(context.Context) { f.run() }) {
		return false
	}
	f.sending = true
	f.waiting = append(f.waiting, p)
	return true
}

// leave takes p out unless it was sent.
func (f *flushes) leave(p *passenger) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.sent {
		return false
	}
	f.waiting = slices.DeleteFunc(f.waiting, func(other *passenger) bool { return other == p })
	return true
}

// run sends batches until nobody waits.
func (f *flushes) run() {
	for {
		load := f.load()
		if len(load) == 0 {
			return
		}
		f.deliver(load)
	}
}

// load takes the callers of the next batch, or ends the sender.
func (f *flushes) load() []*passenger {
	f.mu.Lock()
	defer f.mu.Unlock()
	count, bytes, n := 0, 0, 0
	for _, p := range f.waiting {
		if n > 0 && (count+len(p.batch) > MaxBatch || bytes+p.size > MaxBatchBytes) {
			break
		}
		count, bytes, n = count+len(p.batch), bytes+p.size, n+1
		p.sent = true
	}
	load := slices.Clone(f.waiting[:n])
	f.waiting = slices.Delete(f.waiting, 0, n)
	f.sending = n > 0
	return load
}

func (f *flushes) deliver(load []*passenger) {
	batch := load[0].batch
	if len(load) > 1 {
		batch = nil
		for _, p := range load {
			batch = append(batch, p.batch...)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
	defer cancel()
	errs, err := f.send(ctx, batch)
	for _, p := range load {
		p.err = err
		if errs != nil {
			p.errs, errs = errs[:len(p.batch)], errs[len(p.batch):]
		}
		close(p.done)
	}
}
