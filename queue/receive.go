package queue

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Receive implements Queue.
func (q *core) Receive(ctx context.Context, limit int, lease time.Duration) ([]*Delivery, error) {
	leave, err := q.life.Enter()
	if err != nil {
		return nil, q.fail("receive", err)
	}
	defer leave()
	if limit < 1 || limit > MaxBatch || lease < minLease {
		return nil, q.fail("receive", fmt.Errorf("%w: max is %d, lease is %v", ErrInvalid, limit, lease))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(q.life.Context(), func() { cancel(ErrClosed) })()
	list, err := q.receive(ctx, limit, lease)
	return list, q.fail("receive", err)
}

func (q *core) receive(ctx context.Context, limit int, lease time.Duration) ([]*Delivery, error) {
	name := q.receivers.take()
	defer q.receivers.put(name)
	req := ClaimRequest{Consumer: name, Max: limit, Slots: limit, Lease: lease}
	for {
		got, err := q.backend.Claim(ctx, req)
		switch {
		case ctx.Err() != nil && err != nil:
			return nil, fmt.Errorf("%w (%w)", context.Cause(ctx), err)
		case err != nil:
			return nil, err
		case len(got.Messages) > 0:
			return q.received(got.Messages), nil
		case got.Paused:
			return nil, ErrPaused
		}
		if err := q.await(ctx, got.Next); err != nil {
			return nil, err
		}
	}
}

// receivers names the callers of Receive, each as a consumer of its own while it
// asks: a store that is asked again finds the answer of the same caller.
type receivers struct {
	mu   sync.Mutex
	base string
	n    int
	idle []string
}

func (r *receivers) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		name := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return name
	}
	if r.base == "" {
		r.base = consumerName()
	}
	r.n++
	return fmt.Sprintf("%s-receive-%d", r.base, r.n)
}

func (r *receivers) put(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, name)
}

// await waits until a claim may succeed.
func (q *core) await(ctx context.Context, next time.Duration) error {
	d := idleWait
	if next >= 0 {
		d = min(d, next)
	}
	w, ok := q.backend.(Waiter)
	if !ok {
		return backoff.Sleep(ctx, min(d, pollWait))
	}
	if err := w.Wait(ctx, d); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return err
	}
	return nil
}

func (q *core) received(messages []Claimed) []*Delivery {
	list := make([]*Delivery, len(messages))
	for i := range messages {
		list[i] = &Delivery{own: true}
		list[i].fill(q, &messages[i])
	}
	return list
}
