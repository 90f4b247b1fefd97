package pubsub

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// An Inspector is a PubSub that can say how its buses stand; every [Node] is one.
type Inspector interface {
	// Inspect reads the state of every bus, in their order, and changes nothing.
	// It does not subscribe. Where the backend cannot say it reports
	// ErrUnsupported.
	Inspect(ctx context.Context) ([]BusInfo, error)
}

// BusInfo is the state of one bus at one moment.
type BusInfo struct {
	// Now is the store's time.
	Now time.Time
	// Stored counts the entries since the log exists: messages, and those of
	// Barrier. Kept is how many can still be replayed.
	Stored, Kept int64
	// Newest is when the newest one was stored; zero if none was.
	Newest time.Time
	// Nodes are those that listen, in the order of their names.
	Nodes []NodeInfo
}

// NodeInfo is a node that listens to a bus.
type NodeInfo struct {
	Name string
	// Heard is when the node last made sure that it has everything, by the
	// store's clock: every 1.5 s while nothing happens, every 8 s under load. One
	// that is not heard of any more is behind, or gone.
	Heard time.Time
}

// InspectBackend is a Backend that can say how a bus stands. The Nodes may come in
// any order.
type InspectBackend interface {
	Inspect(ctx context.Context, bus int) (BusInfo, error)
}

var _ Inspector = (*Node)(nil)

// Inspect implements Inspector.
func (n *Node) Inspect(ctx context.Context) ([]BusInfo, error) {
	list, err := n.inspect(ctx)
	return list, opError("inspect", "", err)
}

func (n *Node) inspect(ctx context.Context) ([]BusInfo, error) {
	leave, err := n.life.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	b, ok := n.backend.(InspectBackend)
	if !ok {
		return nil, ErrUnsupported
	}
	list := make([]BusInfo, n.backend.Buses())
	for i := range list {
		if list[i], err = b.Inspect(ctx, i); err != nil {
			return nil, err
		}
		slices.SortFunc(list[i].Nodes, func(a, b NodeInfo) int { return cmp.Compare(a.Name, b.Name) })
	}
	return list, nil
}

// Inspect implements InspectBackend.
func (m memory) Inspect(_ context.Context, bus int) (BusInfo, error) {
	b := m.log.buses[bus]
	b.mu.Lock()
	defer b.mu.Unlock()
	info := BusInfo{Now: time.Now(), Stored: b.mark.N - b.mark.Base, Kept: int64(len(b.entries))}
	if len(b.entries) > 0 {
		info.Newest = time.UnixMilli(int64(b.mark.ID.Ms))
	}
	names := make(map[string]bool)
	for l := range b.listeners {
		if !names[l.node] {
			names[l.node] = true
			info.Nodes = append(info.Nodes, NodeInfo{Name: l.node, Heard: info.Now})
		}
	}
	return info, nil
}
