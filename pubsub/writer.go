package pubsub

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// A batch has at most so many messages and, beyond its first, so many bytes.
const (
	maxBatch      = 128
	maxBatchBytes = 256 << 10
)

// writer sends the messages of one bus in order: whatever came in while a batch
// was under way is the next batch.
type writer struct {
	node *Node
	bus  int

	mu      sync.Mutex
	queue   []*item
	room    chan struct{} // closed when the queue gets shorter; nil if nobody waits
	sending bool
	origin  origin // of the last entry sent; only the sender changes it
}

// item is one message on its way.
type item struct {
	call     *call
	entry    []byte
	replicas int
	index    int // in the call
}

// call is one Publish: it waits until none of its items is under way.
type call struct {
	mu       sync.Mutex
	receipts []Receipt
	left     int
	done     chan struct{}
}

// settle ends one item of the call.
func (c *call) settle(it *item, r Receipt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 {
		return // the caller has left
	}
	c.receipts[it.index] = r
	if c.left--; c.left == 0 {
		close(c.done)
	}
}

// add queues an item, waiting for room while the queue is full.
func (w *writer) add(ctx context.Context, it *item) error {
	for {
		w.mu.Lock()
		if w.node.life.Context().Err() != nil {
			w.mu.Unlock()
			return ErrClosed
		}
		if len(w.queue) < w.node.opts.PublishQueue {
			break
		}
		if w.room == nil {
			w.room = make(chan struct{})
		}
		room := w.room
		w.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.node.life.Context().Done():
			return ErrClosed
		}
	}
	defer w.mu.Unlock()
	w.queue = append(w.queue, it)
	if !w.sending {
		w.sending = w.node.life.Go("writer", w.drain)
	}
	return nil
}

// withdraw takes back the items of a call that were not sent, all if c is nil.
func (w *writer) withdraw(c *call, cause error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.queue[:0]
	for _, it := range w.queue {
		if c == nil || it.call == c {
			it.call.settle(it, Receipt{Err: cause})
		} else {
			kept = append(kept, it)
		}
	}
	clear(w.queue[len(kept):])
	w.queue = kept
	w.makeRoom()
}

func (w *writer) makeRoom() {
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
}

// drain sends batches until the queue is empty.
func (w *writer) drain(context.Context) {
	for batch := w.take(); len(batch) > 0; batch = w.take() {
		w.send(batch)
	}
}

func (w *writer) take() []*item {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, 0
	for n < len(w.queue) && n < maxBatch {
		bytes += len(w.queue[n].entry)
		if n > 0 && bytes > maxBatchBytes {
			break
		}
		n++
	}
	batch := append(make([]*item, 0, n), w.queue[:n]...)
	clear(w.queue[:n])
	if w.queue = w.queue[n:]; len(w.queue) == 0 {
		w.queue = nil
	}
	w.sending = n > 0
	w.makeRoom()
	return batch
}

// send stores one batch. After one that did not end in success the publisher is
// another: an entry of it may turn up later, and must not be taken for newer
// than the next batch, nor hide it.
func (w *writer) send(batch []*item) {
	entries := make([][]byte, len(batch))
	replicas := 0
	for i, it := range batch {
		if w.origin.publisher == 0 {
			w.origin.publisher = newPublisher()
		}
		w.origin.sequence++
		setOrigin(it.entry, w.origin)
		entries[i] = it.entry
		replicas = max(replicas, it.replicas)
	}
	began := time.Now()
	ctx, cancel := context.WithTimeout(w.node.abort, w.node.opts.OpTimeout)
	places, confirmed, err := w.node.backend.Append(ctx, w.bus, entries, replicas)
	cancel()
	if err == nil && len(places) != len(batch) {
		err = errors.Join(ErrUncertain, errors.New("backend did not say where the entries are"))
	}
	w.node.opts.Hooks.published(len(batch), began, err)
	if err != nil {
		w.origin.publisher = 0
	} else {
		w.node.count.published.Add(int64(len(batch)))
	}
	for i, it := range batch {
		r := Receipt{Err: err}
		if err == nil {
			r.Position = positionOf(w.bus, places[i])
			if confirmed < it.replicas {
				r.Err = ErrNotReplicated
			}
		}
		it.call.settle(it, r)
	}
}

// newPublisher returns a number that no other publisher has, and that is not 0.
func newPublisher() uint64 { return rand.Uint64() | 1 }

// idle returns once nothing is being sent.
func (w *writer) idle(ctx context.Context) error {
	for {
		w.mu.Lock()
		sending := w.sending
		w.mu.Unlock()
		if !sending {
			return nil
		}
		if err := backoff.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
}
