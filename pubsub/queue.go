package pubsub

import "slices"

// event is an element of a subscription's queue: one of a message, a Gap, and a
// token, which is called once all before it is done.
type event struct {
	feed  *feed
	d     *Delivery
	gap   *Gap
	token func()
}

// queue is a row of events that uses its memory again.
type queue struct {
	events []event
	head   int // the first that was not taken
}

func (q *queue) add(e ...event) { q.events = append(q.events, e...) }

func (q *queue) take() (e event, ok bool) {
	if q.head == len(q.events) {
		return e, false
	}
	e = q.events[q.head]
	q.events[q.head] = event{}
	q.head++
	switch {
	case q.head == len(q.events):
		q.events, q.head = q.events[:0], 0
	case q.head >= 1024 && q.head > len(q.events)/2:
		q.events, q.head = slices.Delete(q.events, 0, q.head), 0
	}
	return e, true
}

// rest is what was not taken.
func (q *queue) rest() []event { return q.events[q.head:] }

// keep removes the events for which ok is false.
func (q *queue) keep(ok func(event) bool) {
	q.events = slices.DeleteFunc(slices.Delete(q.events, 0, q.head), func(e event) bool { return !ok(e) })
	q.head = 0
}
