package cache

import (
	"sync"
	"time"
)

// flight is one load of one key on this node, shared by all who ask meanwhile.
type flight struct {
	key, full string // without and with prefix
	line      *Line  // nil without a feed
	began     time.Time
	wake      chan struct{} // gets a token when something happened to the key
	corrupt   bool          // the Store's entry cannot be decoded
	readErr   error         // of the first read

	mu      sync.Mutex
	stale   *outcome      // an expired value that callers may get meanwhile
	hasOld  chan struct{} // closed when stale is set
	done    chan struct{} // closed when outcome is set
	outcome outcome
}

// outcome is what a flight ends with.
type outcome struct {
	value    any // *T
	source   Source
	version  Version
	age      time.Duration
	expired  time.Duration // how long ago, for a Stale one
	unproven bool
	copy     *resident // nil for a value that only the loader has seen
	err      error
}

// join returns the running flight of key that a caller may share, or a new one
// that the caller has to run.
//
// A flight is shared only where its value cannot be older than the caller may
// accept: while the node is proven to see changes, which end the sharing, or
// within MaxStaleness of its start.
func (c *Cache) join(key, full string, wake chan struct{}) (f *flight, run bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	bound := c.opts.L1.MaxStaleness
	if f, ok := c.flights[key]; ok {
		if f.line == nil || f.line.Fresh(bound) || time.Since(f.began) < bound {
			return f, false
		}
	}
	f = c.newFlight(key, full, wake)
	c.flights[key] = f
	return f, true
}

func (c *Cache) newFlight(key, full string, wake chan struct{}) *flight {
	f := &flight{
		key: key, full: full, began: time.Now(),
		wake: wake, hasOld: make(chan struct{}), done: make(chan struct{}),
	}
	if c.feed != nil {
		f.line = c.feed.Line(full)
	}
	return f
}

// finish ends f for all who wait.
func (c *Cache) finish(f *flight, o outcome) {
	f.outcome = o
	c.mu.Lock()
	if c.flights[f.key] == f {
		delete(c.flights, f.key)
	}
	c.mu.Unlock()
	close(f.done)
}

// wake tells the flight of key that the key changed. After a write or a delete
// nobody joins it any more.
func (c *Cache) wake(key string, detach bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.flights[key]
	if !ok {
		return
	}
	f.ring()
	if detach {
		delete(c.flights, key)
	}
}

// wakeLine detaches every flight of l: a change concerns an unknown part of them.
func (c *Cache) wakeLine(l *Line) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, f := range c.flights {
		if f.line == l {
			f.ring()
			delete(c.flights, key)
		}
	}
}

func (f *flight) ring() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// mark is the place on the flight's line, to be taken before a read.
func (f *flight) mark() Mark {
	if f.line == nil {
		return Mark{}
	}
	return f.line.Mark()
}

// offer lets callers that accept it take an expired value.
func (f *flight) offer(stale *outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stale == nil {
		f.stale = stale
		close(f.hasOld)
	}
}

func (f *flight) old() *outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stale
}
