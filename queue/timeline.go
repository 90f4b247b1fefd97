package queue

import "container/heap"

// timeline orders records by due time, then by the order in which they came.
type timeline struct {
	items []*record
	seq   uint64
}

// add puts r on the timeline at r.due.
func (t *timeline) add(r *record) {
	t.seq++
	r.seq = t.seq
	heap.Push(t, r)
}

// remove takes r off.
func (t *timeline) remove(r *record) { heap.Remove(t, r.index) }

// first returns the earliest record, or nil.
func (t *timeline) first() *record {
	if len(t.items) == 0 {
		return nil
	}
	return t.items[0]
}

// Len implements heap.Interface.
func (t *timeline) Len() int { return len(t.items) }

// Less implements heap.Interface.
func (t *timeline) Less(i, j int) bool {
	a, b := t.items[i], t.items[j]
	if a.due.Equal(b.due) {
		return a.seq < b.seq
	}
	return a.due.Before(b.due)
}

// Swap implements heap.Interface.
func (t *timeline) Swap(i, j int) {
	t.items[i], t.items[j] = t.items[j], t.items[i]
	t.items[i].index, t.items[j].index = i, j
}

// Push implements heap.Interface.
func (t *timeline) Push(x any) {
	r, _ := x.(*record)
	r.index = len(t.items)
	t.items = append(t.items, r)
}

// Pop implements heap.Interface.
func (t *timeline) Pop() any {
	last := len(t.items) - 1
	r := t.items[last]
	t.items[last] = nil
	t.items = t.items[:last]
	return r
}
