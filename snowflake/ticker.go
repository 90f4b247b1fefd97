package snowflake

import "time"

const (
	// beat is the shortest time between two looks at the clock: with what a timer
	// is late, the time in an ID stays within a tick and 5 ms of the clock.
	beat = 4 * time.Millisecond
	// longestBeat bounds the time until an idle ticker notices that it is idle.
	longestBeat = time.Second
	// glanceEvery is how many counters are taken until a caller looks at the clock,
	// for when the ticker is not scheduled. A power of two.
	glanceEvery = 1 << 12
)

// A ticker looks at the clock in place of those who take counters, and stops when
// nobody has taken one since its last beat. It has no goroutine of its own, so that
// a Generator that was forgotten costs nothing. Guarded by Generator.mu.
type ticker struct {
	timer   *time.Timer
	running bool
	seen    uint64 // the counter at the last beat
}

// wind starts the ticker unless it runs.
func (t *ticker) wind(f func(), after time.Duration) {
	if t.running {
		return
	}
	t.running = true
	if t.timer == nil {
		t.timer = time.AfterFunc(after, f)
		return
	}
	t.timer.Reset(after)
}

// stop stops the ticker; one last beat may still come.
func (t *ticker) stop() {
	t.running = false
	if t.timer != nil {
		t.timer.Stop()
	}
}

// tick is the ticker's beat.
func (g *Generator) tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.ticker.running {
		return
	}
	b := g.bound.Load()
	if idle := b.counter.Load() == g.ticker.seen; idle || g.survey().err != nil {
		b.ceiling.Store(0) // the next caller looks at the clock and winds the ticker
		g.ticker.running = false
		return
	}
	g.ticker.seen = b.counter.Load()
	g.ticker.timer.Reset(b.untilNextTick(b.worker.Now()))
}

// untilNextTick returns when to look at the clock again.
func (t *terms) untilNextTick(now int64) time.Duration {
	next := t.beginOf(t.layout.tick(now) + 1)
	return min(max(time.Duration(next-now)*time.Millisecond, beat), longestBeat)
}

// glance does what the ticker does, unless somebody is at it.
func (g *Generator) glance() {
	if g.mu.TryLock() {
		g.survey()
		g.mu.Unlock()
	}
}
