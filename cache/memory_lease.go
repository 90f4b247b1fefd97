package cache

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"
)

// memLease is the right to store a value that is being loaded.
type memLease struct {
	token string
	since uint64 // what was done before the load began
	until time.Time
}

// Acquire implements Leaser.
func (m *Memory) Acquire(ctx context.Context, ttl time.Duration, force bool, keys ...string) ([]Grant, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	grants := make([]Grant, len(keys))
	for i, key := range keys {
		grants[i] = m.acquire(key, ttl, force)
	}
	return grants, nil
}

func (m *Memory) acquire(key string, ttl time.Duration, force bool) (g Grant) {
	now := time.Now()
	g.Lease.Key = key
	if e := m.live(key, now); e != nil {
		g.Entry, g.Found = e.entry(now), true
		if e.fresh(now) && !force {
			return g
		}
	}
	if l, ok := m.leases[key]; ok && now.Before(l.until) {
		g.Busy = l.until.Sub(now)
		return g
	}
	g.Lease.Token = strconv.FormatUint(rand.Uint64(), 36)
	m.leases[key] = memLease{token: g.Lease.Token, since: m.ordinal, until: now.Add(ttl)}
	return g
}

// Fill implements Leaser.
func (m *Memory) Fill(ctx context.Context, fills ...Fill) ([]Version, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for i := range fills {
		if err := CheckWrite(&fills[i].Write); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	versions := make([]Version, len(fills))
	for i := range fills {
		f := &fills[i]
		l, ok := m.leases[f.Key]
		if !ok || l.token != f.Lease.Token || !time.Now().Before(l.until) {
			continue
		}
		if m.invalidated(f.Tags, l.since) {
			m.release(f.Lease)
			continue
		}
		versions[i] = m.store(&f.Write, true)
	}
	return versions, nil
}

// Release implements Leaser.
func (m *Memory) Release(ctx context.Context, leases ...Lease) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range leases {
		m.release(l)
	}
	return nil
}

// release ends a lease and wakes those who wait for it.
func (m *Memory) release(l Lease) {
	if m.leases[l.Key].token != l.Token {
		return
	}
	delete(m.leases, l.Key)
	m.next()
	m.line.Apply(&Change{Ordinal: m.ordinal, Filled: []string{l.Key}})
}
