package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

var (
	_ Store          = (*Memory)(nil)
	_ Fed            = (*Memory)(nil)
	_ Leaser         = (*Memory)(nil)
	_ TagInvalidator = (*Memory)(nil)
	_ Lister         = (*Memory)(nil)
	_ Toucher        = (*Memory)(nil)
)

// Memory is a Store whose scope is the process. Its clock is the time package, so
// tests drive it with testing/synctest.
type Memory struct {
	feed    *Feed
	line    *Line
	group   *lifecycle.Group
	entries *otter.Cache[string, *memEntry]

	mu      sync.RWMutex
	ordinal uint64
	tags    map[string]uint64 // invalidated tag → when
	leases  map[string]memLease
}

// MemoryOptions tune a [Memory].
type MemoryOptions struct {
	// MaxBytes bounds keys and values together, roughly. Default 64 MiB.
	MaxBytes int64
}

type memEntry struct {
	Write
	version Version
	written time.Time
	expires time.Time // zero: never
	gone    time.Time // zero: never
}

// NewMemory returns an empty Memory. Close it to end its goroutine.
func NewMemory(opts MemoryOptions) (*Memory, error) {
	setDefault(&opts.MaxBytes, 64<<20)
	if opts.MaxBytes < 0 {
		return nil, fmt.Errorf("cache: MaxBytes is %d, want more than 0", opts.MaxBytes)
	}
	m := &Memory{
		feed:   NewFeed(1),
		group:  lifecycle.New(ErrClosed),
		tags:   make(map[string]uint64),
		leases: make(map[string]memLease),
	}
	m.line = m.feed.Lines()[0]
	m.line.Restart(0)
	m.line.alwaysProven()
	entries, err := otter.New(&otter.Options[string, *memEntry]{
		MaximumWeight: uint64(opts.MaxBytes),
		Weigher: func(key string, e *memEntry) uint32 {
			return uint32(min(len(key)+len(e.Value)+memOverhead, math.MaxInt32))
		},
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *memEntry]) time.Duration {
			if e.Value.gone.IsZero() {
				return Forever
			}
			return max(time.Until(e.Value.gone), 1)
		}),
	})
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	m.entries = entries
	return m, nil
}

// memOverhead is about what an entry takes besides its key and value.
const memOverhead = 256

// Feed implements Fed. The changes of a Memory are applied as they happen.
func (m *Memory) Feed() *Feed { return m.feed }

// Get implements Store.
func (m *Memory) Get(ctx context.Context, key string) (Entry, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return Entry{}, err
	}
	defer leave()
	m.mu.RLock()
	defer m.mu.RUnlock()
	e := m.live(key, time.Now())
	if e == nil {
		return Entry{}, ErrNotFound
	}
	return e.entry(time.Now()), nil
}

// GetMany implements Store.
func (m *Memory) GetMany(ctx context.Context, keys []string) (map[string]Entry, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	m.mu.RLock()
	defer m.mu.RUnlock()
	now := time.Now()
	found := make(map[string]Entry, len(keys))
	for _, key := range keys {
		if e := m.live(key, now); e != nil {
			found[key] = e.entry(now)
		}
	}
	return found, nil
}

// Set implements Store.
func (m *Memory) Set(ctx context.Context, writes ...Write) ([]Version, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for i := range writes {
		if err := CheckWrite(&writes[i]); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	versions := make([]Version, len(writes))
	for i := range writes {
		if m.allowed(&writes[i]) {
			versions[i] = m.store(&writes[i], false)
		}
	}
	return versions, nil
}

// allowed reports whether the condition of w holds.
func (m *Memory) allowed(w *Write) bool {
	now := time.Now()
	e := m.live(w.Key, now)
	switch {
	case w.OnlyIfAbsent:
		return e == nil || !e.fresh(now)
	case w.IfVersion != Version{}:
		return e != nil && e.version == w.IfVersion
	}
	return true
}

// store writes w and announces it. The caller holds mu.
func (m *Memory) store(w *Write, loaded bool) Version {
	now := time.Now()
	e := &memEntry{Write: *w, version: m.next(), written: now}
	e.Value = append([]byte(nil), w.Value...)
	e.expireAfter(now, w.TTL, w.Stale)
	if w.Keep {
		if old := m.live(w.Key, now); old != nil {
			e.expires, e.gone, e.Tags, e.TTL, e.Stale = old.expires, old.gone, old.Tags, old.TTL, old.Stale
		}
	}
	m.entries.Set(w.Key, e)
	delete(m.leases, w.Key)
	c := &Change{Ordinal: m.ordinal}
	if loaded {
		c.Filled = []string{w.Key}
	} else {
		c.Keys = []string{w.Key}
	}
	m.line.Apply(c)
	return e.version
}

// Delete implements Store.
func (m *Memory) Delete(ctx context.Context, keys ...string) (int, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	m.mu.Lock()
	defer m.mu.Unlock()
	var n int
	for _, key := range keys {
		if m.live(key, time.Now()) != nil {
			n++
		}
		m.entries.Invalidate(key)
		delete(m.leases, key)
	}
	m.next()
	m.line.Apply(&Change{Ordinal: m.ordinal, Keys: keys})
	return n, nil
}

// Touch implements Toucher.
func (m *Memory) Touch(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	leave, err := m.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if ttl < time.Millisecond {
		return false, fmt.Errorf("ttl is %v, want at least 1ms, or Forever", ttl)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	old := m.live(key, now)
	if old == nil {
		return false, nil
	}
	e := *old
	if old.expires.IsZero() {
		e.Stale = 0
	}
	e.expireAfter(now, ttl, e.Stale)
	m.entries.Set(key, &e)
	m.next()
	m.line.Apply(&Change{Ordinal: m.ordinal, Keys: []string{key}})
	return true, nil
}

// Close implements Store.
func (m *Memory) Close(ctx context.Context) error {
	return m.group.Close(ctx, func(context.Context) error {
		m.entries.StopAllGoroutines()
		m.entries.InvalidateAll()
		return nil
	})
}

func (m *Memory) enter(ctx context.Context) (leave func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return m.group.Enter()
}

func (m *Memory) next() Version {
	m.ordinal++
	return NewVersion(m.ordinal, rand.Uint64())
}

// live returns the entry of key unless it is gone or one of its tags was
// invalidated. The caller holds mu.
func (m *Memory) live(key string, now time.Time) *memEntry {
	e, ok := m.entries.GetIfPresent(key)
	if !ok || !e.gone.IsZero() && !now.Before(e.gone) || m.invalidated(e.Tags, e.version.Ordinal()) {
		return nil
	}
	return e
}

func (e *memEntry) expireAfter(now time.Time, ttl, stale time.Duration) {
	e.TTL, e.Stale, e.expires, e.gone = ttl, stale, time.Time{}, time.Time{}
	if ttl != Forever {
		e.expires = now.Add(ttl)
		e.gone = e.expires.Add(stale)
	}
}

func (e *memEntry) fresh(now time.Time) bool { return e.expires.IsZero() || now.Before(e.expires) }

func (e *memEntry) entry(now time.Time) Entry {
	out := Entry{
		Value: e.Value, Version: e.version, Age: now.Sub(e.written), TTL: Forever, Life: Forever,
		Tags: e.Tags, Format: e.Format, Absent: e.Absent,
	}
	if !e.expires.IsZero() {
		out.TTL, out.Life = e.expires.Sub(now), e.gone.Sub(now)
	}
	return out
}

// CheckWrite reports why a Store must refuse w, or nil. Stores call it first, so
// that all refuse the same.
func CheckWrite(w *Write) error {
	switch {
	case w.Key == "":
		return errors.New("key is empty")
	case len(w.Key) > MaxKey:
		return fmt.Errorf("key of %d bytes: %w", len(w.Key), ErrTooLarge)
	case w.TTL < time.Millisecond:
		return fmt.Errorf("TTL is %v, want at least 1ms, or Forever", w.TTL)
	case w.Stale < 0:
		return fmt.Errorf("Stale is %v, want 0 or more", w.Stale)
	case len(w.Format) > maxFormat:
		return fmt.Errorf("format of %d bytes: %w", len(w.Format), ErrTooLarge)
	case len(w.Tags) > maxTags:
		return fmt.Errorf("%d tags: %w", len(w.Tags), ErrTooLarge)
	case w.Keep && w.IfVersion == Version{}:
		return errors.New("Keep needs IfVersion")
	}
	for _, t := range w.Tags {
		if t == "" || len(t) > MaxStoreTag {
			return fmt.Errorf("tag has %d bytes, want 1 to %d", len(t), MaxStoreTag)
		}
	}
	return nil
}

// MaxStoreTag is the length in bytes of the longest tag of a Store.
const MaxStoreTag = 255
