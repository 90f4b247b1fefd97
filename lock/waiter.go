package lock

import "context"

// A waiter is one running Acquire. Its fields are guarded by the mutex of the
// locker, except those that never change.
type waiter struct {
	ctx  context.Context // of the call that waits
	opts Request
	try  bool
	seat *seat

	lease *Lease
	err   error
	heard bool // the backend has answered that it must wait

	ready      chan struct{} // made when it sleeps
	prev, next *waiter
}

// signal lets w look at its state again.
func (w *waiter) signal() {
	if w.ready == nil {
		return // it does not sleep and will look
	}
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

// waiters is a list, first come first.
type waiters struct{ first, last *waiter }

func (q *waiters) front() *waiter { return q.first }

func (q *waiters) push(w *waiter) {
	w.prev = q.last
	if q.last == nil {
		q.first = w
	} else {
		q.last.next = w
	}
	q.last = w
}

func (q *waiters) remove(w *waiter) {
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
}
