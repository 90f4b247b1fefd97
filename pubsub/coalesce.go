package pubsub

import (
	"errors"
	"fmt"
	"time"
)

// Coalesce puts messages with the same key together that come less than Window
// apart: the handler gets the first at once, and the latest when they stop
// coming, or after MaxWait. Those between are dropped. The zero value is off.
type Coalesce struct {
	// Window is the quiet time after which messages no longer belong together.
	Window time.Duration
	// MaxWait is the longest that the latest message waits. Default 5 × Window.
	MaxWait time.Duration
	// Edge says which messages the handler gets. Default BothEdges.
	Edge Edge
	// Key says which messages belong together. Default: those with the same
	// Message.Key, without one those with the same channel and payload.
	Key func(*Delivery) string
}

// Edge is an end of a row of messages that belong together.
type Edge int

const (
	// BothEdges hands on the first message and, if there were more, the latest.
	BothEdges Edge = iota
	// LeadingEdge hands on only the first message.
	LeadingEdge
	// TrailingEdge hands on only the latest.
	TrailingEdge
)

func (c Coalesce) withDefaults() (Coalesce, error) {
	if c.Window == 0 {
		if c.MaxWait != 0 || c.Edge != 0 || c.Key != nil {
			return c, errors.New("Coalesce has no Window")
		}
		return c, nil
	}
	setDefault(&c.MaxWait, 5*c.Window)
	if c.Key == nil {
		c.Key = (*Delivery).coalesceKey
	}
	switch {
	case c.Window < 0:
		return c, fmt.Errorf("Coalesce.Window is %v, want 0 or more", c.Window)
	case c.MaxWait < c.Window:
		return c, fmt.Errorf("Coalesce.MaxWait is %v, want at least the Window of %v", c.MaxWait, c.Window)
	case c.Edge < BothEdges || c.Edge > TrailingEdge:
		return c, fmt.Errorf("Coalesce.Edge is %d, want an Edge", c.Edge)
	}
	return c, nil
}

// maxCoalesced bounds the keys that wait; beyond it all are handed on at once.
const maxCoalesced = 8192

// coalescer is the state machine of Coalesce, without timers.
type coalescer struct {
	opts  Coalesce
	rows  map[string]*row
	order []*row // by the arrival of the row's first message
}

// row is the messages with one key.
type row struct {
	key     string
	latest  *Delivery // nil if the handler has all that it gets
	waiting time.Time // arrival of the first message since the last hand-over
	quiet   time.Time // when the row ends if nothing more comes
}

func (r *row) due(maxWait time.Duration) time.Time {
	if limit := r.waiting.Add(maxWait); r.latest != nil && limit.Before(r.quiet) {
		return limit
	}
	return r.quiet
}

// add takes in a message and returns what the handler gets at once.
func (c *coalescer) add(now time.Time, d *Delivery) []*Delivery {
	key := c.opts.Key(d)
	r := c.rows[key]
	if r == nil {
		var out []*Delivery
		if len(c.rows) >= maxCoalesced {
			out = c.flush()
		}
		if c.rows == nil {
			c.rows = make(map[string]*row)
		}
		r = &row{key: key, quiet: now.Add(c.opts.Window)}
		c.rows[key], c.order = r, append(c.order, r)
		if c.opts.Edge != TrailingEdge {
			return append(out, d)
		}
		r.latest, r.waiting = d, now
		return out
	}
	r.quiet = now.Add(c.opts.Window)
	if c.opts.Edge == LeadingEdge {
		return nil
	}
	if r.latest == nil {
		r.waiting = now
	}
	r.latest = d
	return nil
}

// due returns what the handler gets by now.
func (c *coalescer) due(now time.Time) []*Delivery {
	var out []*Delivery
	kept := c.order[:0]
	for _, r := range c.order {
		if r.due(c.opts.MaxWait).After(now) {
			kept = append(kept, r)
			continue
		}
		if r.latest == nil {
			delete(c.rows, r.key)
			continue
		}
		out = append(out, r.latest)
		r.latest, r.quiet = nil, now.Add(c.opts.Window)
		kept = append(kept, r)
	}
	clear(c.order[len(kept):])
	c.order = kept
	return out
}

// flush returns all that waits and ends every row.
func (c *coalescer) flush() []*Delivery {
	var out []*Delivery
	for _, r := range c.order {
		if r.latest != nil {
			out = append(out, r.latest)
		}
	}
	c.rows, c.order = nil, nil
	return out
}

// next is when due has something to do, zero if never.
func (c *coalescer) next() time.Time {
	var first time.Time
	for _, r := range c.order {
		if at := r.due(c.opts.MaxWait); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}
