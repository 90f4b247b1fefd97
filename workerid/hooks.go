package workerid

// Hooks observe the leases of an Allocator. Each field may be nil. The functions
// must not block.
type Hooks struct {
	// Acquired follows a granted lease.
	Acquired func(id int, generation int64)
	// Renewed follows each attempt at a renewal; err is nil if it succeeded.
	Renewed func(id int, err error)
	// Ended follows the end of a lease; the cause is ErrLost or ErrReleased.
	Ended func(id int, cause error)
}

func (h *Hooks) acquired(l *Lease) {
	if h.Acquired != nil {
		h.Acquired(l.id, l.generation)
	}
}

func (h *Hooks) renewed(l *Lease, err error) {
	if h.Renewed != nil {
		h.Renewed(l.id, err)
	}
}

func (h *Hooks) ended(l *Lease, cause error) {
	if h.Ended != nil {
		h.Ended(l.id, cause)
	}
}
