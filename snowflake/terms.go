package snowflake

import (
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// terms say which counters a binding may take at which time. They only calculate;
// times are Unix milliseconds of the process clock.
type terms struct {
	layout Layout
	ahead  int64 // how far beyond the clock counters may be taken

	// A number whose last holder was ahead of our clock starts in the future. The
	// logical clock runs from logicalStart at half speed until the process clock
	// has caught up, so that there is always something to take.
	logicalStart int64
	// notBefore is when the first counter may be taken.
	notBefore int64
}

// An instant is a moment of a binding, in milliseconds.
type instant struct {
	now     int64 // the process clock, since 1970
	elapsed int64 // since the binding began; corrections of the clock do not move it
}

// first returns the first counter of tick.
func (t *terms) first(tick int64) uint64 { return uint64(tick) << t.layout.SequenceBits }

// tickOf returns the tick of a counter.
func (t *terms) tickOf(counter uint64) int64 { return int64(counter >> t.layout.SequenceBits) }

// opening returns the first counter that window allows.
func (t *terms) opening(window workerid.Window) uint64 {
	return t.first(max(0, t.layout.tick(window.Start-1)+1))
}

// start sets the clocks of a number whose next free counter is c.
func (t *terms) start(now int64, window workerid.Window, c uint64) {
	t.logicalStart = now
	if window.Mark == workerid.NoMark {
		// Nobody knows what an earlier holder has stamped: at most the tick that is
		// ahead of when this one was started.
		t.notBefore = t.beginOf(t.layout.tick(window.Start+t.ahead) + 1)
		return
	}
	t.logicalStart = window.Start
	if c > t.opening(window) && !sealed(c) {
		// Others have taken from this number, by a logical clock that was no more
		// than ahead and a tick behind c: ours does not begin later than theirs.
		t.logicalStart = max(window.Start, t.beginOf(t.tickOf(c)-1)-t.ahead)
	}
}

// goOn is for a number that goes on from another one with counter c, or from none with
// 0: where the other one was ahead of the clock anyway, c can be taken at once.
func (t *terms) goOn(now int64, c uint64) {
	if c == 0 {
		return
	}
	if begin := t.beginOf(t.tickOf(c)) - t.ahead; begin-t.layout.Tick.Milliseconds() > now {
		t.logicalStart = max(t.logicalStart, begin)
	}
}

func (t *terms) beginOf(tick int64) int64 {
	return t.layout.Epoch + tick*t.layout.Tick.Milliseconds()
}

// logical returns the logical clock.
func (t *terms) logical(at instant) int64 { return max(at.now, t.logicalStart+at.elapsed/2) }

// current returns the first counter of the tick at now, within the layout.
func (t *terms) current(now int64) uint64 {
	return t.first(min(max(0, t.layout.tick(now)), t.layout.ticks()))
}

// byClock returns the ceiling that the clock sets: everything up to the tick that
// is ahead.
func (t *terms) byClock(at instant) uint64 {
	if at.now < t.notBefore {
		return 0
	}
	return t.first(min(max(0, t.layout.tick(t.logical(at)+t.ahead)+1), t.layout.ticks()))
}

// byMark returns the ceiling that the lease sets: ticks that end by mark.
func (t *terms) byMark(mark int64) uint64 {
	if mark == workerid.NoMark {
		return t.byEnd()
	}
	return t.first(min(max(0, t.layout.tick(mark)), t.layout.ticks()))
}

// byEnd returns the ceiling that the layout sets.
func (t *terms) byEnd() uint64 { return t.first(t.layout.ticks()) }

// opens returns how long it takes until byClock is above c.
func (t *terms) opens(at instant, c uint64) time.Duration {
	target := t.beginOf(t.tickOf(c)) - t.ahead
	wait := min(target-at.now, 2*(target-t.logicalStart)-at.elapsed)
	return time.Duration(max(wait, t.notBefore-at.now, 1)) * time.Millisecond
}
