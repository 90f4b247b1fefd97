package cache

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cespare/xxhash/v2"
)

// Feed carries the changes of one Store to the caches of this node, over one or
// more lines. Every key belongs to one line, in which its changes have one order
// on all nodes. The Store drives the lines, the caches follow.
type Feed struct {
	start    time.Time
	lines    []*Line
	watchers atomic.Pointer[[]watcher]

	mu     sync.Mutex
	bounds map[watcher]time.Duration
	bound  atomic.Int64
}

// follower is a Store's own view of its Feed.
type follower struct {
	onChange func(*Line, *Change)
	onReset  func(*Line)
}

func (f *follower) changed(l *Line, c *Change) { f.onChange(l, c) }
func (f *follower) reset(l *Line)              { f.onReset(l) }

// Follow lets the Store keep what it knows of tags in step: changed is called for
// each change before the change counts as applied, reset for each Restart. The
// functions must not block.
func (f *Feed) Follow(changed func(*Line, *Change), reset func(*Line)) {
	f.watch(&follower{changed, reset}, 0)
}

// watcher is who follows a Feed. Its methods must not block.
type watcher interface {
	changed(l *Line, c *Change)
	reset(l *Line)
}

// Change is one entry of a line.
type Change struct {
	// Ordinal is its number on the line, counted from 1.
	Ordinal uint64
	// Keys were written or deleted.
	Keys []string
	// Filled were stored by a loader, or its lease ended without a value.
	Filled []string
	// Tags were invalidated.
	Tags []string
}

// NewFeed returns a Feed of n lines. None of them is proven.
func NewFeed(n int) *Feed {
	f := &Feed{start: time.Now(), bounds: make(map[watcher]time.Duration)}
	f.watchers.Store(&[]watcher{})
	for i := range n {
		l := &Line{feed: f, index: i}
		l.epoch.Store(1) // until the first Restart nothing can be kept
		f.lines = append(f.lines, l)
	}
	return f
}

// Lines returns the lines.
func (f *Feed) Lines() []*Line { return f.lines }

// Line returns the line of key: the same on every node that has equally many.
func (f *Feed) Line(key string) *Line {
	if len(f.lines) == 1 {
		return f.lines[0]
	}
	return f.lines[xxhash.Sum64String(key)%uint64(len(f.lines))]
}

// Bound is the smallest MaxStaleness of the caches that follow, or 0 if there is
// none. A Store proves each line at least four times per Bound.
func (f *Feed) Bound() time.Duration { return time.Duration(f.bound.Load()) }

func (f *Feed) watch(w watcher, bound time.Duration) (stop func()) {
	f.update(func() { f.bounds[w] = bound })
	return func() { f.update(func() { delete(f.bounds, w) }) }
}

func (f *Feed) update(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	list := make([]watcher, 0, len(f.bounds))
	var least time.Duration
	for w, b := range f.bounds {
		list = append(list, w)
		if b > 0 && (least == 0 || b < least) {
			least = b
		}
	}
	f.watchers.Store(&list)
	f.bound.Store(int64(least))
}

// unproven is further in the past than any bound reaches, and the zero of a
// proof: Feed time counts up from its other end.
const unproven = 1 << 61

// at is the Feed time of t, on the monotonic clock.
func (f *Feed) at(t time.Time) int64 { return unproven + int64(t.Sub(f.start)) }

func (f *Feed) now() int64 { return unproven + int64(time.Since(f.start)) }
