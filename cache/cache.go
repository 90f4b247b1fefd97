package cache

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

// Cache is one namespace of a Store with an in-process tier over it. Typed caches
// made with [Of] read and write it. All methods are safe for concurrent use.
type Cache struct {
	store Store
	opts  Options
	start string   // of every key in the Store
	space string   // the tag that every entry carries
	alone []uint16 // stripes of an entry that carries no other
	stats counters
	group *lifecycle.Group

	leaser Leaser // nil if the Store is none
	feed   *Feed  // … likewise
	local  *local // nil without an in-process tier
	leave  func() // the Feed

	mu      sync.Mutex
	flights map[string]*flight
	refills map[string]struct{} // keys being refreshed ahead
}

// New returns a Cache that borrows store: Close of the Cache leaves it open. It
// does no I/O. Caches with one Store and Prefix, in this process or another,
// share their entries.
func New(store Store, opts Options) (*Cache, error) {
	if store == nil {
		return nil, errors.New("cache: store is nil")
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	c := &Cache{
		store:   store,
		opts:    opts,
		start:   opts.Prefix + "/",
		space:   opts.Prefix + "/",
		alone:   []uint16{stripe(opts.Prefix + "/")},
		group:   lifecycle.New(ErrClosed),
		flights: make(map[string]*flight),
		refills: make(map[string]struct{}),
		leave:   func() {},
	}
	c.leaser, _ = store.(Leaser)
	if fed, ok := store.(Fed); ok {
		c.feed = fed.Feed()
		if opts.L1.MaxEntries > 0 {
			c.local = newLocal(c.feed, opts.L1, &c.stats)
		}
		c.leave = c.feed.watch(c, opts.L1.MaxStaleness)
	}
	return c, nil
}

// InvalidateTags makes every entry that carries one of tags unreadable, on all
// nodes, and keeps loads that are running from storing such values.
func (c *Cache) InvalidateTags(ctx context.Context, tags ...string) error {
	full := make([]string, len(tags))
	for i, t := range tags {
		if err := checkTag(t); err != nil {
			return opError("invalidate", t, err)
		}
		full[i] = c.start + t
	}
	return c.invalidate(ctx, "invalidate", strings.Join(tags, ","), full)
}

// Clear removes every entry of the Cache's Prefix, on all nodes, and nothing
// else. The memory of the Store is freed little by little by the caller's call,
// as far as ctx allows; the entries are unreadable before that begins.
func (c *Cache) Clear(ctx context.Context) error {
	if err := c.invalidate(ctx, "clear", c.opts.Prefix, []string{c.space}); err != nil {
		return err
	}
	if lister, ok := c.store.(Lister); ok {
		_ = lister.Purge(ctx, c.start) // what is left expires by its TTL
	}
	return nil
}

func (c *Cache) invalidate(ctx context.Context, op, name string, tags []string) error {
	leave, err := c.group.Enter()
	if err != nil {
		return opError(op, name, err)
	}
	defer leave()
	inv, ok := c.store.(TagInvalidator)
	if !ok {
		return opError(op, name, ErrUnsupported)
	}
	return opError(op, name, inv.InvalidateTags(ctx, tags...))
}

// Keys yields the keys of the Cache's Prefix that have an entry, in no order.
func (c *Cache) Keys(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		lister, ok := c.store.(Lister)
		if !ok {
			yield("", opError("keys", c.opts.Prefix, ErrUnsupported))
			return
		}
		for key, err := range lister.Keys(ctx, c.start) {
			if err != nil {
				yield("", opError("keys", c.opts.Prefix, err))
				return
			}
			if !yield(strings.TrimPrefix(key, c.start), nil) {
				return
			}
		}
	}
}

// Fresh reports whether local copies of key may be used now: the node has proof
// that it saw every change up to MaxStaleness ago.
func (c *Cache) Fresh(key string) bool {
	return c.feed != nil && c.feed.Line(c.start+key).Fresh(c.opts.L1.MaxStaleness)
}

// Stats returns the counts so far.
func (c *Cache) Stats() Stats {
	s := c.stats.snapshot()
	if c.local != nil {
		s.L1Entries = c.local.entries.EstimatedSize()
	}
	return s
}

// Close ends running loads, waits for them within ctx, and drops the local
// copies. Later calls report ErrClosed; a second Close returns nil.
func (c *Cache) Close(ctx context.Context) error {
	err := c.group.Close(ctx, func(context.Context) error {
		c.leave()
		return nil
	})
	if c.local != nil {
		c.local.close()
	}
	return err
}

// changed implements watcher.
func (c *Cache) changed(l *Line, change *Change) {
	c.keysChanged(l, change, change.Keys, true)
	c.keysChanged(l, change, change.Filled, false)
	for _, tag := range change.Tags {
		if strings.HasPrefix(tag, c.start) {
			c.wakeLine(l)
		}
	}
}

func (c *Cache) keysChanged(l *Line, change *Change, keys []string, detach bool) {
	for _, full := range keys {
		key, ok := strings.CutPrefix(full, c.start)
		if !ok {
			continue
		}
		if c.local != nil {
			c.local.changed(l, key, change)
		}
		c.wake(key, detach)
	}
}

// reset implements watcher.
func (c *Cache) reset(l *Line) {
	if c.local != nil {
		c.local.reset()
	}
	c.stats.add(resets, 1)
	c.opts.Hooks.dropped()
	c.wakeLine(l)
}

func (c *Cache) key(key string) (string, error) {
	full := c.start + key
	if key == "" {
		return "", errors.New("key is empty")
	}
	if len(full) > MaxKey {
		return "", fmt.Errorf("key of %d bytes: %w", len(key), ErrTooLarge)
	}
	return full, nil
}

func checkTag(tag string) error {
	if tag == "" || len(tag) > maxTag {
		return fmt.Errorf("tag has %d bytes, want 1 to %d", len(tag), maxTag)
	}
	return nil
}

const maxTag = 127

// elapsed is how long ago a Feed time was.
func (c *Cache) elapsed(t int64) time.Duration { return time.Duration(c.feed.now() - t) }
