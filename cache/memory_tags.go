package cache

import (
	"context"
	"iter"
	"strings"
	"time"
)

// maxInvalidated is how many invalidated tags a Memory remembers before it drops
// the entries that carry them.
const maxInvalidated = 1 << 14

// InvalidateTags implements TagInvalidator.
func (m *Memory) InvalidateTags(ctx context.Context, tags ...string) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.next()
	for _, t := range tags {
		m.tags[t] = m.ordinal
	}
	if len(m.tags) > maxInvalidated {
		m.forgetTags()
	}
	m.line.Apply(&Change{Ordinal: m.ordinal, Tags: tags})
	return nil
}

// invalidated reports whether one of tags was invalidated after since.
func (m *Memory) invalidated(tags []string, since uint64) bool {
	for _, t := range tags {
		if m.tags[t] > since {
			return true
		}
	}
	return false
}

// forgetTags drops all entries with an invalidated tag, and all leases, so that no
// tag needs to be remembered.
func (m *Memory) forgetTags() {
	for key, e := range m.entries.All() {
		if m.invalidated(e.Tags, e.version.Ordinal()) {
			m.entries.Invalidate(key)
		}
	}
	clear(m.leases)
	clear(m.tags)
}

// Keys implements Lister.
func (m *Memory) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		leave, err := m.enter(ctx)
		if err != nil {
			yield("", err)
			return
		}
		defer leave()
		for key := range m.entries.Keys() {
			if ctx.Err() != nil {
				yield("", context.Cause(ctx))
				return
			}
			if strings.HasPrefix(key, prefix) && m.has(key) && !yield(key, nil) {
				return
			}
		}
	}
}

func (m *Memory) has(key string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	now := time.Now()
	e := m.live(key, now)
	return e != nil && e.fresh(now) && !e.Absent
}

// Purge implements Lister.
func (m *Memory) Purge(ctx context.Context, prefix string) error {
	leave, err := m.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for key := range m.entries.Keys() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if strings.HasPrefix(key, prefix) {
			m.purge(key)
		}
	}
	return nil
}

// purge drops the entry of key if it is no longer readable.
func (m *Memory) purge(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.live(key, time.Now()) == nil {
		m.entries.Invalidate(key)
	}
}
