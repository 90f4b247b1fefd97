package lock

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// DefaultList is how many locks a Lister returns unless it is asked for a number.
const DefaultList = 1000

// A Lister is a Locker that can say which locks are held; every Locker of [New]
// is one. It is for people who look at a cluster: it may read through all that
// the backend keeps.
type Lister interface {
	// List returns up to limit locks that are held, in the order of their names;
	// 0 means DefaultList. Semaphores are left out, and a lock that changes hands
	// meanwhile may be. Where the backend cannot list it reports ErrUnsupported.
	List(ctx context.Context, limit int) ([]Holding, error)
}

// A Holding is a lock that is held.
type Holding struct {
	Name string
	Info
}

// A ListBackend is a Backend that can list. List returns up to limit locks that
// are held, in any order.
type ListBackend interface {
	List(ctx context.Context, limit int) ([]Holding, error)
}

var _ Lister = (*locker)(nil)

// List implements Lister.
func (n *locker) List(ctx context.Context, limit int) ([]Holding, error) {
	held, err := n.list(ctx, limit)
	return held, opError("list", "locks", err)
}

func (n *locker) list(ctx context.Context, limit int) ([]Holding, error) {
	leave, err := n.group.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if limit < 0 {
		return nil, fmt.Errorf("%w: limit is %d, want 0 or more", ErrInvalidOptions, limit)
	}
	if limit == 0 {
		limit = DefaultList
	}
	b, ok := n.backend.(ListBackend)
	if !ok {
		return nil, ErrUnsupported
	}
	held, err := b.List(ctx, limit)
	if err != nil {
		return nil, err
	}
	for i := range held {
		held[i].Fence <<= turnBits
	}
	slices.SortFunc(held, func(a, b Holding) int { return strings.Compare(a.Name, b.Name) })
	return held, nil
}
