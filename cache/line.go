package cache

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// stripes is how many groups of keys and of tags a Line tells apart. Two keys of
// one group can cost each other a local copy, never correctness.
const stripes = 1 << 12

// Line is one ordered sequence of changes and the proof of how much of it this
// node has seen. The Store calls its methods: Apply, Restart, Prove and Doubt
// from one goroutine at a time, Wrote from any.
//
// It answers two questions without a lock. Is a copy that was read a while ago
// still what the Store has, as of MaxStaleness ago? Yes if the line is fresh,
// because every applied change removes the copies it concerns. May a value that
// was just read be kept? Yes if no change of its stripe was applied since before
// the read, or the value is itself at least as new as the last one.
type Line struct {
	feed  *Feed
	index int

	epoch   atomic.Uint64 // how often the sequence broke, twice
	applied atomic.Uint64
	proven  atomic.Int64 // Feed time up to which everything is applied

	keys [stripes]atomic.Uint64 // ordinal of the last change, by key
	tags [stripes]atomic.Uint64 // … by tag

	mu      sync.Mutex
	pending struct {
		ordinal uint64
		asked   int64
	}
}

// Mark is a place in the sequence of a line.
type Mark struct{ epoch, ordinal uint64 }

// Index is the number of the line within its Feed.
func (l *Line) Index() int { return l.index }

// Applied is the ordinal of the last applied change.
func (l *Line) Applied() uint64 { return l.applied.Load() }

// Apply applies the next change: all before it are applied or were skipped by a
// Restart.
func (l *Line) Apply(c *Change) {
	l.announce(c)
	l.applied.Store(c.Ordinal)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pending.asked != 0 && l.pending.ordinal <= c.Ordinal {
		l.proven.Store(l.pending.asked)
		l.pending.asked = 0
	}
}

// Wrote announces a change that this node made itself, before the write returns
// to its caller. Apply will meet it again.
func (l *Line) Wrote(c *Change) { l.announce(c) }

// announce raises the stripes first, so that a fill either sees the new ordinal
// or is removed by the watcher.
func (l *Line) announce(c *Change) {
	for _, key := range c.Keys {
		raise(&l.keys[stripe(key)], c.Ordinal)
	}
	for _, key := range c.Filled {
		raise(&l.keys[stripe(key)], c.Ordinal)
	}
	for _, tag := range c.Tags {
		raise(&l.tags[stripe(tag)], c.Ordinal)
	}
	for _, w := range *l.feed.watchers.Load() {
		w.changed(l, c)
	}
}

// Restart sets the place from which changes follow, when the Store begins to
// listen and whenever it cannot tell what it missed. All copies of the line are
// dropped, and it has to be proven again. Ordinals that follow are above those of
// all entries that the Store still has.
func (l *Line) Restart(ordinal uint64) {
	l.Doubt()
	l.epoch.Store(l.epoch.Load() | 1) // odd: marks taken from now on are void
	for i := range stripes {
		l.keys[i].Store(0)
		l.tags[i].Store(0)
	}
	l.applied.Store(ordinal)
	l.epoch.Add(1)
	for _, w := range *l.feed.watchers.Load() {
		w.reset(l)
	}
}

// Prove records that the Store, asked at the given time, answered that ordinal
// is its newest change. The line is proven up to that time once all of them are
// applied.
func (l *Line) Prove(asked time.Time, ordinal uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.feed.at(asked)
	if l.applied.Load() >= ordinal {
		l.proven.Store(at)
		l.pending.asked = 0
		return
	}
	l.pending.ordinal, l.pending.asked = ordinal, at
}

// Doubt withdraws the proof: copies are not served until the next one.
func (l *Line) Doubt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proven.Store(0)
	l.pending.asked = 0
}

// certain is the proof of a line whose changes are applied as they happen.
const certain = math.MaxInt64

func (l *Line) alwaysProven() { l.proven.Store(certain) }

// Fresh reports whether every change up to bound ago is applied on this node.
func (l *Line) Fresh(bound time.Duration) bool { return l.fresh(l.feed.now(), bound) }

func (l *Line) fresh(now int64, bound time.Duration) bool {
	return now-l.proven.Load() < int64(bound)
}

// Mark returns the place to compare with later, taken before a read.
func (l *Line) Mark() Mark {
	epoch := l.epoch.Load()
	return Mark{epoch, l.applied.Load()}
}

// Unchanged reports whether no change of tag was applied since m.
func (l *Line) Unchanged(tag string, m Mark) bool {
	return l.current(m.epoch) && l.tags[stripe(tag)].Load() <= m.ordinal
}

// since moves m forward to the write with Version v, which was still there when
// the Store was read at m.
func (m Mark) since(v Version) Mark {
	m.ordinal = max(m.ordinal, v.Ordinal())
	return m
}

// keeps reports whether a value of key that was read at m may be kept.
func (l *Line) keeps(key string, m Mark) bool {
	return l.current(m.epoch) && l.keys[stripe(key)].Load() <= m.ordinal
}

// tagged reports whether none of the tags, given by stripe, changed after m.
func (l *Line) tagged(tags []uint16, m Mark) bool {
	for _, t := range tags {
		if l.tags[t].Load() > m.ordinal {
			return false
		}
	}
	return true
}

func (l *Line) current(epoch uint64) bool { return l.epoch.Load() == epoch && epoch%2 == 0 }

func stripe(name string) uint16 { return uint16(xxhash.Sum64String(name) >> 32 % stripes) }

func raise(a *atomic.Uint64, to uint64) {
	for {
		old := a.Load()
		if old >= to || a.CompareAndSwap(old, to) {
			return
		}
	}
}
