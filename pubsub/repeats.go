package pubsub

// repeats recognises entries that were stored more than once: a publisher's
// sequences only grow. It forgets publishers that have been silent while
// maxPublishers others were heard of, twice; a repeat follows its original
// within seconds.
type repeats struct {
	young, old map[uint64]uint64 // highest sequence by publisher
}

const maxPublishers = 8192

// seen reports whether o is a repeat, and remembers it.
func (r *repeats) seen(o origin) bool {
	last, ok := r.young[o.publisher]
	if !ok {
		last, ok = r.old[o.publisher]
	}
	if ok && o.sequence <= last {
		return true
	}
	if r.young == nil || len(r.young) >= maxPublishers {
		r.old, r.young = r.young, make(map[uint64]uint64)
	}
	r.young[o.publisher] = o.sequence
	return false
}
