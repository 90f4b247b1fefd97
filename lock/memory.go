package lock

import (
	"context"
	"sync"
	"time"
)

// NewMemory returns a Locker whose scope is the process. Its clock is the time
// package, so tests drive it with testing/synctest.
func NewMemory(c Options) (Locker, error) { return New(NewSpace().Backend(), c) }

// A Space is the state that a backend in memory shares between Lockers. One
// Locker per process needs no Space; several stand for several processes in
// tests and simulations.
type Space struct {
	mu    sync.Mutex
	nodes map[string]Events // by process
	names map[place]*record
	fence uint64
	sweep int // remove what has expired when there are so many names
}

// place is the key of a record: locks and semaphores of one name are apart.
type place struct {
	name      string
	semaphore bool
}

// record is the state of one name. Names that nobody has or waits for have none.
type record struct {
	grants []grant
	queue  []Claim
}

type grant struct {
	token string
	fence uint64
	ends  time.Time
}

// NewSpace returns an empty Space.
func NewSpace() *Space {
	return &Space{nodes: make(map[string]Events), names: make(map[place]*record), sweep: 64}
}

// Backend returns a Backend for one more Locker.
func (sp *Space) Backend() Backend { return &memory{space: sp} }

// memory is the side of one Locker.
type memory struct {
	space   *Space
	process string
}

// Start implements Backend.
func (m *memory) Start(process string, events Events) error {
	m.space.mu.Lock()
	defer m.space.mu.Unlock()
	m.process = process
	m.space.nodes[process] = events
	return nil
}

// Close implements Backend.
func (m *memory) Close(context.Context) error {
	m.space.mu.Lock()
	defer m.space.mu.Unlock()
	delete(m.space.nodes, m.process)
	return nil
}

// Acquire implements Backend.
func (m *memory) Acquire(_ context.Context, c Claim, wait bool) (Reply, error) {
	var after notices
	defer after.send()
	sp := m.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	now := time.Now()
	r := sp.record(c, now)
	if g := r.granted(c.Token); g != nil {
		g.ends = later(g.ends, now.Add(c.TTL))
		return Reply{State: Granted, Fence: g.fence, Waiters: len(r.queue), Sent: now}, nil
	}
	sp.serve(r, c, now, &after)
	if g := r.granted(c.Token); g == nil && r.room(c) {
		r.leave(c.Token)
		sp.grant(r, c, now)
	}
	if g := r.granted(c.Token); g != nil {
		return Reply{State: Granted, Fence: g.fence, Waiters: len(r.queue), Sent: now}, nil
	}
	if wait {
		sp.join(r, c, &after)
	}
	return Reply{State: Held, Waiters: len(r.queue), Poll: r.poll(now), Sent: now}, nil
}

// Extend implements Backend.
func (m *memory) Extend(_ context.Context, c Claim) (Reply, error) {
	sp := m.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	now := time.Now()
	r := sp.record(c, now)
	g := r.granted(c.Token)
	if g == nil {
		sp.forget(c, r)
		return Reply{State: Held, Sent: now}, nil
	}
	g.ends = later(g.ends, now.Add(c.TTL))
	return Reply{State: Granted, Fence: g.fence, Waiters: len(r.queue), Sent: now}, nil
}

// Release implements Backend.
func (m *memory) Release(_ context.Context, c Claim) (bool, error) {
	var after notices
	defer after.send()
	sp := m.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	now := time.Now()
	r := sp.record(c, now)
	had := r.drop(c.Token)
	if had {
		sp.serve(r, c, now, &after)
	} else {
		r.leave(c.Token)
	}
	sp.forget(c, r)
	return had, nil
}

// Inspect implements Backend.
func (m *memory) Inspect(_ context.Context, name string) (Info, error) {
	sp := m.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	return sp.info(place{name: name}, time.Now()), nil
}

// List implements ListBackend.
func (m *memory) List(_ context.Context, limit int) ([]Holding, error) {
	sp := m.space
	sp.mu.Lock()
	defer sp.mu.Unlock()
	now := time.Now()
	var held []Holding
	for at := range sp.names {
		if at.semaphore || len(held) == limit {
			continue
		}
		if info := sp.info(at, now); info.Held {
			held = append(held, Holding{Name: at.name, Info: info})
		}
	}
	return held, nil
}

// info is the state of one place.
func (sp *Space) info(at place, now time.Time) Info {
	r := sp.names[at]
	if r == nil {
		return Info{}
	}
	r.expire(now)
	info := Info{Waiters: len(r.queue)}
	if len(r.grants) > 0 {
		g := r.grants[0]
		info.Held, info.Owner, info.Fence, info.TTL = true, g.token, g.fence, g.ends.Sub(now)
	}
	return info
}
