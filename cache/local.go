package cache

import (
	"math"
	"time"

	"github.com/maypok86/otter/v2"
)

// local is the in-process tier of one Cache: decoded values with what proves
// that they are still right.
type local struct {
	feed    *Feed
	bound   time.Duration
	entries *otter.Cache[string, *resident]
	clock   *otter.CoarseClock
	stats   *counters
}

// sweep is how exactly otter needs to know the time: it only frees the memory of
// copies that are over. That they are over is seen by each hit.
const sweep = 100 * time.Millisecond

// resident is one copy. It is immutable.
type resident struct {
	value   any // *T of the typed cache that stored it
	format  string
	version Version
	absent  bool

	line *Line
	read Mark
	tags []uint16 // stripes

	// Feed times.
	written int64 // when the Store got it
	refresh int64 // from here on a load behind the scenes is due
	expires int64 // end of being fresh
	gone    int64 // end of being of use at all
}

func newLocal(f *Feed, o L1, stats *counters) *local {
	l := &local{feed: f, bound: o.MaxStaleness, stats: stats}
	l.clock = otter.NewCoarseClock(sweep)
	l.entries = otter.Must(&otter.Options[string, *resident]{
		Clock:       l.clock,
		MaximumSize: o.MaxEntries,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[string, *resident]) time.Duration {
			return max(time.Duration(e.Value.gone-f.now()), 0) + sweep
		}),
		OnAtomicDeletion: func(e otter.DeletionEvent[string, *resident]) {
			if e.Cause == otter.CauseOverflow {
				stats.add(evictions, 1)
			}
		},
	})
	return l
}

// get returns the copy of key, if there is one that is proven at time now. It
// may have expired.
func (l *local) get(key string, now int64) *resident {
	r, ok := l.entries.GetIfPresent(key)
	if !ok || now >= r.gone {
		return nil
	}
	if !r.proven(now, l.bound) {
		l.stats.add(bypasses, 1)
		return nil
	}
	return r
}

// unproven returns the copy of key whether or not it is still right.
func (l *local) unproven(key string) *resident {
	r, ok := l.entries.GetIfPresent(key)
	if !ok || l.feed.now() >= r.gone {
		return nil
	}
	return r
}

func (r *resident) proven(now int64, bound time.Duration) bool {
	return r.line.fresh(now, bound) && r.line.current(r.read.epoch) && r.line.tagged(r.tags, r.read)
}

// keep stores a value that was read or written at m, unless a change has been
// applied since that it may not have seen, or a newer copy is there.
func (l *local) keep(key, storeKey string, r *resident) {
	l.entries.Compute(key, func(old *resident, found bool) (*resident, otter.ComputeOp) {
		switch {
		case !r.line.keeps(storeKey, r.read), !r.line.tagged(r.tags, r.read):
			return nil, otter.CancelOp
		case found && old.line == r.line && old.read.epoch == r.read.epoch && old.version.Ordinal() > r.version.Ordinal():
			return nil, otter.CancelOp
		}
		return r, otter.WriteOp
	})
}

// changed removes the copy of key unless it is the result of the change.
func (l *local) changed(line *Line, key string, c *Change) {
	l.entries.ComputeIfPresent(key, func(old *resident) (*resident, otter.ComputeOp) {
		if old.line == line && old.version.Ordinal() >= c.Ordinal {
			return nil, otter.CancelOp
		}
		l.stats.add(invalidations, 1)
		return nil, otter.InvalidateOp
	})
}

// drop removes the copy of key.
func (l *local) drop(key string) { l.entries.Invalidate(key) }

func (l *local) reset() { l.entries.InvalidateAll() }

func (l *local) close() {
	l.entries.StopAllGoroutines()
	l.clock.Stop()
	l.entries.InvalidateAll()
}

// newResident makes the copy of the entry of the Store's key full that was read at
// m; ahead is the part of its fresh time after which it is loaded anew.
func (c *Cache) newResident(full string, m Mark, e *Entry, value any, ahead float64) *resident {
	line, now, most := c.feed.Line(full), c.feed.now(), c.opts.L1.TTL
	r := &resident{
		value: value, format: e.Format, version: e.Version, absent: e.Absent,
		line: line, read: m.since(e.Version),
		written: now - int64(e.Age),
		expires: now + int64(min(e.TTL, most)),
		gone:    now + int64(min(e.Life, most)),
		refresh: math.MaxInt64,
	}
	if len(e.Tags) == 1 && e.Tags[0] == c.space {
		r.tags = c.alone
	} else {
		for _, t := range e.Tags {
			r.tags = append(r.tags, stripe(t))
		}
	}
	if ahead > 0 && e.TTL > 0 && e.TTL != Forever {
		r.refresh = r.written + int64(ahead*float64(e.TTL+e.Age))
	}
	return r
}
