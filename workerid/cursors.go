package workerid

import "sync"

// cursors are the cursors of one number, one per grid. start and advanced are set
// before use.
type cursors struct {
	start    int64           // Unix milliseconds; no tick begins earlier
	advanced func(end int64) // told that all ticks up to end, Unix milliseconds, are used up; may be nil

	mu     sync.Mutex
	byGrid map[Grid]*Cursor
	sealed bool
}

// on returns the cursor on grid, sealed if the number may no longer be used.
func (c *cursors) on(grid Grid) *Cursor {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cur, ok := c.byGrid[grid]; ok {
		return cur
	}
	if c.byGrid == nil {
		c.byGrid = make(map[Grid]*Cursor)
	}
	cur := new(Cursor)
	if c.advanced != nil {
		cur.advanced = func(counter uint64) { c.advanced(grid.begin(counter)) }
	}
	cur.Counter.Store(grid.first(c.start))
	if c.sealed {
		cur.Seal()
	}
	c.byGrid[grid] = cur
	return cur
}

// seal ends every cursor and returns the end of the last tick that any of them
// has given out, in Unix milliseconds, or start.
func (c *cursors) seal() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sealed = true
	end := c.start
	for grid, cur := range c.byGrid {
		if next := cur.Seal(); next > grid.first(c.start) {
			end = max(end, grid.end(next-1))
		}
	}
	return end
}

// first returns the first counter whose tick begins at ms or later.
func (g Grid) first(ms int64) uint64 {
	tick := max(g.Tick.Milliseconds(), 1)
	since := max(ms-g.Epoch, 0)
	return uint64((since+tick-1)/tick) << g.SequenceBits
}

// begin and end return when the tick of counter does, in Unix milliseconds.
func (g Grid) begin(counter uint64) int64 {
	return g.Epoch + int64(counter>>g.SequenceBits)*g.Tick.Milliseconds()
}

func (g Grid) end(counter uint64) int64 { return g.begin(counter) + g.Tick.Milliseconds() }
