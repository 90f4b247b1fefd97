package workerid

import (
	"sync/atomic"
	"time"
)

// A clock is the process clock: wall time at the start plus what has elapsed
// since. A step of the wall clock does not move it, except forward as far as the
// server confirms, as after a suspend that stopped the monotonic clock.
type clock struct {
	wall    func() time.Time
	elapsed func() time.Duration // monotonic
	base    atomic.Int64
}

func newClock(wall func() time.Time) *clock {
	start := time.Now()
	return startClock(wall, func() time.Duration { return time.Since(start) })
}

func startClock(wall func() time.Time, elapsed func() time.Duration) *clock {
	c := &clock{wall: wall, elapsed: elapsed}
	c.base.Store(wall().UnixMilli() - elapsed().Milliseconds())
	return c
}

// instant is a time by both clocks of a process, in milliseconds.
type instant struct {
	wall    int64 // the process clock, since 1970
	elapsed int64 // monotonic
}

func (c *clock) read() instant {
	elapsed := c.elapsed().Milliseconds()
	return instant{wall: c.base.Load() + elapsed, elapsed: elapsed}
}

// now returns Unix milliseconds.
func (c *clock) now() int64 { return c.read().wall }

// confirm moves the clock forward to the wall's time, but not past latest.
func (c *clock) confirm(latest int64) {
	target := min(c.wall().UnixMilli(), latest)
	for {
		base := c.base.Load()
		behind := target - base - c.elapsed().Milliseconds()
		if behind <= 0 || c.base.CompareAndSwap(base, base+behind) {
			return
		}
	}
}
