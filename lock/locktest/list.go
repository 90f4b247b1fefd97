package locktest

import (
	"errors"
	"slices"
	"time"

	"github.com/cohort-go/cohort/lock"
)

func list(s *space) {
	if s.backend.NoList {
		s.Skip("the backend does not list")
	}
	a, b := s.node(), s.node()
	lister, ok := b.(lock.Lister)
	if !ok {
		s.Fatalf("%T is no lock.Lister", b)
	}
	names := []string{"plain", "Plain", "{braces}:held", "a*b", "ä\n"}
	leases := make(map[string]*lock.Lease)
	for _, name := range names {
		leases[name] = s.take(a, name, lock.Request{TTL: time.Minute})
	}
	s.release(s.take(a, "released", lock.Request{}))
	s.listed(lister, leases)

	some, err := lister.List(s.ctx, 2)
	if err != nil || len(some) != 2 {
		s.Errorf("two of them: %+v, %v", some, err)
	}
	if _, err := lister.List(s.ctx, -1); !errors.Is(err, lock.ErrInvalidOptions) {
		s.Errorf("limit -1: %v", err)
	}
	for _, name := range names[1:] {
		s.release(leases[name])
		delete(leases, name)
	}
	s.listed(lister, leases)
}

// listed checks that the list is that of the leases.
func (s *space) listed(l lock.Lister, leases map[string]*lock.Lease) {
	s.Helper()
	held, err := l.List(s.ctx, 0)
	if err != nil {
		s.Fatal(err)
	}
	if !slices.IsSortedFunc(held, func(a, b lock.Holding) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) }) {
		s.Errorf("not in the order of names: %+v", held)
	}
	for _, h := range held {
		lease := leases[h.Name]
		if lease == nil {
			s.Errorf("%q is listed and not held", h.Name)
			continue
		}
		if !h.Held || h.Owner != lease.Token() || h.Fence != lease.Fence() || h.TTL <= 30*time.Second || h.TTL > time.Minute {
			s.Errorf("%+v; the lease has token %s, fence %d", h, lease.Token(), lease.Fence())
		}
	}
	if len(held) != len(leases) {
		s.Errorf("%d are listed of %d", len(held), len(leases))
	}
}
