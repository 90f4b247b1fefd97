package snowflake

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// A Layout says what the bits of an ID mean: from the top, the ticks since the
// epoch, the worker number, and a sequence within the tick. All nodes of a
// cluster use the same Layout, for good.
type Layout struct {
	// Epoch is the beginning of tick 0 in Unix milliseconds, in the years 1 to
	// 9999.
	Epoch int64
	// Tick is the unit of the time part: whole milliseconds, at least one.
	Tick time.Duration
	// TimeBits, WorkerBits and SequenceBits are the widths of the three parts,
	// 63 in all at most. WorkerBits is 1 to [MaxWorkerBits].
	TimeBits, WorkerBits, SequenceBits uint8
}

// MaxWorkerBits is the most that a Layout spends on the worker number.
const MaxWorkerBits = 16

// cohortEpoch is 2020-11-10T16:00:00Z.
const cohortEpoch = 1605024000 * 1000

// The first and the last millisecond that an epoch may be.
const (
	minEpoch = -62135596800000
	maxEpoch = 253402300799999
)

// Compat53 returns the default Layout: seconds since 2020-11-10T16:00:00Z in 32
// bits, 32 workers, 65,536 IDs a second each. Its IDs stay below 2^53, so that
// they are exact in a JavaScript number, and are bit for bit those of NocoBase's
// @nocobase/snowflake-id. It lasts until the year 2156.
func Compat53() Layout {
	return Layout{Epoch: cohortEpoch, Tick: time.Second, TimeBits: 32, WorkerBits: 5, SequenceBits: 16}
}

// Wide63 returns the Layout for speed: milliseconds since 2020-11-10T16:00:00Z in
// 41 bits, 32 workers, 131 million IDs a second each. It lasts until the year
// 2090.
func Wide63() Layout {
	return Layout{Epoch: cohortEpoch, Tick: time.Millisecond, TimeBits: 41, WorkerBits: 5, SequenceBits: 17}
}

// Validate reports everything that is wrong with l, joined, or nil.
func (l Layout) Validate() error {
	var errs []error
	problem := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	tickOK := l.Tick >= time.Millisecond && l.Tick%time.Millisecond == 0
	if !tickOK {
		problem("Tick is %v, want whole milliseconds, at least one", l.Tick)
	}
	if l.Epoch < minEpoch || l.Epoch > maxEpoch {
		problem("Epoch is %d, want Unix milliseconds in the years 1 to 9999", l.Epoch)
	}
	if l.TimeBits == 0 {
		problem("TimeBits is 0, want at least 1")
	}
	if l.WorkerBits < 1 || l.WorkerBits > MaxWorkerBits {
		problem("WorkerBits is %d, want 1 to %d", l.WorkerBits, MaxWorkerBits)
	}
	if l.bits() > 63 {
		problem("TimeBits, WorkerBits and SequenceBits are %d in all, want at most 63", l.bits())
	} else if tickOK && l.ticks() > (math.MaxInt64-maxEpoch)/l.Tick.Milliseconds() {
		problem("%d TimeBits of %v are more than Unix milliseconds can say", l.TimeBits, l.Tick)
	}
	return errors.Join(errs...)
}

// String describes all of l in one line. Set it as the Layout of [workerid.Options]:
// then a node that would make IDs of another meaning gets no worker number.
func (l Layout) String() string {
	return fmt.Sprintf("epoch=%d tick=%v bits=%d/%d/%d", l.Epoch, l.Tick, l.TimeBits, l.WorkerBits, l.SequenceBits)
}

// Lifetime returns the span of time whose IDs l can express: from the beginning
// of start until just before end.
func (l Layout) Lifetime() (start, end time.Time) {
	return l.begin(0), l.begin(l.ticks())
}

// Exact53 reports whether every ID of l is below 2^53, and thus exact in a
// JavaScript number or another float64.
func (l Layout) Exact53() bool { return l.bits() <= exactBits }

// exactBits is how many bits of an integer a float64 keeps.
const exactBits = 53

func (l Layout) bits() int { return int(l.TimeBits) + int(l.WorkerBits) + int(l.SequenceBits) }

// ticks is how many ticks l has.
func (l Layout) ticks() int64 { return 1 << l.TimeBits }

// begin returns the moment at which tick n begins.
func (l Layout) begin(n int64) time.Time {
	return time.UnixMilli(l.Epoch + n*l.Tick.Milliseconds()).UTC()
}

// tick returns the tick that contains ms, in Unix milliseconds; it is negative
// before the epoch and may be beyond the last tick.
func (l Layout) tick(ms int64) int64 {
	return floorDiv(ms-l.Epoch, l.Tick.Milliseconds())
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
