package pubsub

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// NewMemory returns a PubSub whose messages stay in the process. It shares its
// messages with nobody; see [MemoryLog] for several nodes in one process.
func NewMemory(opts Options) (*Node, error) {
	log, err := NewMemoryLog(MemoryOptions{})
	if err != nil {
		return nil, err
	}
	return log.Node(opts)
}

// MemoryOptions tune a MemoryLog. The zero value of each field means its default.
type MemoryOptions struct {
	// Buses is the number of logs among which channels are divided. Default 1.
	Buses int
	// MaxLen is how many messages each of them keeps for subscriptions that do not
	// begin with new ones. Default 10 000.
	MaxLen int
}

// MemoryLog is what nodes in one process share in place of a server. Besides
// programs of a single node it serves tests, which can make it forget messages
// as a server would. All methods are safe for concurrent use.
type MemoryLog struct {
	buses []*memoryBus
}

// NewMemoryLog returns an empty log.
func NewMemoryLog(o MemoryOptions) (*MemoryLog, error) {
	setDefault(&o.Buses, 1)
	setDefault(&o.MaxLen, 10_000)
	if o.Buses < 1 || o.Buses > maxBuses {
		return nil, fmt.Errorf("pubsub: %d buses, want 1 to %d", o.Buses, maxBuses)
	}
	if o.MaxLen < 1 {
		return nil, fmt.Errorf("pubsub: MaxLen is %d, want 1 or more", o.MaxLen)
	}
	l := &MemoryLog{}
	for range o.Buses {
		b := &memoryBus{maxLen: o.MaxLen, listeners: make(map[*memoryListener]struct{})}
		b.reset()
		l.buses = append(l.buses, b)
	}
	return l, nil
}

// Node returns a further PubSub on the log. Closing it leaves the log to others.
func (l *MemoryLog) Node(opts Options) (*Node, error) { return NewNode(memory{l}, opts) }

// Backend returns what Node makes a PubSub of, to be wrapped.
func (l *MemoryLog) Backend() Backend { return memory{l} }

// Trim removes all but the newest keep messages of each bus.
func (l *MemoryLog) Trim(keep int) {
	for _, b := range l.buses {
		b.mu.Lock()
		b.trim(keep)
		b.mu.Unlock()
	}
}

// Lose removes everything, as a server does that restarts without its data.
func (l *MemoryLog) Lose() {
	for _, b := range l.buses {
		b.lose()
	}
}

// memory is the Backend of a MemoryLog.
type memory struct{ log *MemoryLog }

// memoryBus is one log. Its listeners are called with mu held, so all see one
// order.
type memoryBus struct {
	maxLen int

	mu        sync.Mutex
	mark      Mark
	entries   []Entry // the newest that are kept
	listeners map[*memoryListener]struct{}
}

type memoryListener struct {
	bus  *memoryBus
	node string
	feed Feed
	at   Mark
}

// reset makes the log new; its identity is the time, and its ordinals exceed
// those of the one before.
func (b *memoryBus) reset() {
	base := max(time.Now().UnixMicro(), b.mark.N+1)
	b.mark = Mark{Base: base, N: base}
	b.entries = nil
}

func (b *memoryBus) lose() {
	b.mu.Lock()
	defer b.mu.Unlock()
	after := b.mark
	b.reset()
	for l := range b.listeners {
		l.feed.Gap(GapReset, -1, after, b.mark)
	}
}

func (b *memoryBus) trim(keep int) {
	if extra := len(b.entries) - keep; extra > 0 {
		b.entries = slices.Clone(b.entries[extra:])
	}
}

func (m memory) Buses() int { return len(m.log.buses) }

func (m memory) Append(_ context.Context, bus int, data [][]byte, replicas int) ([]Mark, int, error) {
	b := m.log.buses[bus]
	b.mu.Lock()
	defer b.mu.Unlock()
	places := make([]Mark, len(data))
	entries := make([]Entry, len(data))
	now := uint64(time.Now().UnixMilli())
	for i, d := range data {
		if id := &b.mark.ID; id.Ms < now {
			*id = ID{Ms: now}
		} else {
			id.Seq++
		}
		b.mark.N++
		places[i] = b.mark
		entries[i] = Entry{N: b.mark.N, ID: b.mark.ID, Data: d}
	}
	b.entries = append(b.entries, entries...)
	if len(b.entries) > b.maxLen+b.maxLen/4+maxBatch { // about MaxLen, as on a server
		b.trim(b.maxLen)
	}
	for l := range b.listeners {
		l.feed.Entries(entries)
	}
	return places, replicas, nil
}

func (m memory) Listen(_ context.Context, bus int, node string, feed Feed) (Listener, error) {
	b := m.log.buses[bus]
	b.mu.Lock()
	defer b.mu.Unlock()
	l := &memoryListener{bus: b, node: node, feed: feed, at: b.mark}
	b.listeners[l] = struct{}{}
	return l, nil
}

func (l *memoryListener) Position() Mark { return l.at }

func (l *memoryListener) Close(context.Context) error {
	l.bus.mu.Lock()
	defer l.bus.mu.Unlock()
	delete(l.bus.listeners, l)
	return nil
}

func (m memory) Members(_ context.Context, bus int) ([]string, error) {
	b := m.log.buses[bus]
	b.mu.Lock()
	defer b.mu.Unlock()
	names := make(map[string]bool)
	for l := range b.listeners {
		names[l.node] = true
	}
	return slices.Collect(maps.Keys(names)), nil
}

func (m memory) Close(context.Context, string) error { return nil }

func (m memory) Read(bus int, after Mark, feed Feed) Pager {
	return &memoryPager{bus: m.log.buses[bus], at: after, feed: feed}
}

// memoryPager reads the entries that are kept.
type memoryPager struct {
	bus  *memoryBus
	at   Mark
	feed Feed
}

const memoryPage = 256

func (p *memoryPager) Position() Mark { return p.at }

func (p *memoryPager) Foreign() int64 { return 0 }

// Next copies a page, and hands it on without the bus' mu.
func (p *memoryPager) Next(ctx context.Context) (more bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, context.Cause(ctx)
	}
	b := p.bus
	b.mu.Lock()
	newest := b.mark
	kept := b.entries
	b.mu.Unlock()

	oldest := newest.N + 1
	if len(kept) > 0 {
		oldest = kept[0].N
	}
	switch after := p.at; {
	case after == Mark{}:
		p.at = Mark{Base: newest.Base, N: oldest - 1}
	case after.N < newest.Base:
		p.at = Mark{Base: newest.Base, N: newest.Base}
		p.feed.Gap(GapReset, -1, after, p.at)
	case after.N > newest.N:
		p.at = newest
		p.feed.Gap(GapFailover, -1, after, p.at)
	}
	if after := p.at; after.N < oldest-1 {
		p.at = Mark{Base: newest.Base, N: oldest - 1}
		p.feed.Gap(GapTrimmed, oldest-1-after.N, after, p.at)
	}
	page := kept[min(p.at.N+1-oldest, int64(len(kept))):]
	if more = len(page) > memoryPage; more {
		page = page[:memoryPage]
	}
	if len(page) > 0 {
		last := page[len(page)-1]
		p.at = Mark{Base: newest.Base, N: last.N, ID: last.ID}
		p.feed.Entries(page)
	}
	return more, nil
}
