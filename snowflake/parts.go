package snowflake

import (
	"errors"
	"fmt"
	"time"
)

// ErrOverflow reports a time, a worker number, a sequence or an ID that does not
// fit the Layout; a generator reports it before the Layout's epoch and after its
// last tick.
var ErrOverflow = errors.New("does not fit the layout")

// Parts is what an ID says.
type Parts struct {
	// Time is the beginning of the ID's tick, in UTC. Compose takes any moment
	// of the tick.
	Time time.Time
	// Worker is the number of the worker that made the ID.
	Worker int
	// Sequence tells the IDs of one worker and one tick apart.
	Sequence int64
}

// Compose returns the ID of p, or [ErrOverflow] if a part does not fit.
func (l Layout) Compose(p Parts) (ID, error) {
	var errs []error
	if start, end := l.Lifetime(); p.Time.Before(start) || !p.Time.Before(end) {
		errs = append(errs, fmt.Errorf("snowflake: time %v %w: it is not from %v until before %v", p.Time.UTC(), ErrOverflow, start, end))
	}
	if p.Worker < 0 || p.Worker >= 1<<l.WorkerBits {
		errs = append(errs, fmt.Errorf("snowflake: worker %d %w: it has %d bits", p.Worker, ErrOverflow, l.WorkerBits))
	}
	if p.Sequence < 0 || p.Sequence >= 1<<l.SequenceBits {
		errs = append(errs, fmt.Errorf("snowflake: sequence %d %w: it has %d bits", p.Sequence, ErrOverflow, l.SequenceBits))
	}
	if errs != nil {
		return 0, errors.Join(errs...)
	}
	tick := l.tick(p.Time.UnixMilli())
	return ID((tick<<l.WorkerBits|int64(p.Worker))<<l.SequenceBits | p.Sequence), nil
}

// Decompose takes id apart, or reports [ErrOverflow] if it is negative or has
// more bits than l.
func (l Layout) Decompose(id ID) (Parts, error) {
	if id < 0 || int64(id)>>l.bits() != 0 {
		return Parts{}, fmt.Errorf("snowflake: ID %d %w: it has %d bits", id, ErrOverflow, l.bits())
	}
	n := int64(id)
	return Parts{
		Time:     l.begin(n >> (l.WorkerBits + l.SequenceBits)),
		Worker:   int(n >> l.SequenceBits & (1<<l.WorkerBits - 1)),
		Sequence: n & (1<<l.SequenceBits - 1),
	}, nil
}

// Range returns the first and the last ID, both included, that can have been made
// in the interval that begins at from and ends before to, for scans such as
// "WHERE id BETWEEN first AND last".
//
// The time in an ID is not exactly the time of its making: it may be earlier by a
// tick and 5 ms, and later by MaxAhead of the [Options]. Slack widens the interval
// on both sides: the larger of the two, plus what the clocks of the nodes may
// differ. An interval that is empty or wholly outside the Layout's lifetime is
// [ErrOverflow]; one that sticks out is cut off.
func (l Layout) Range(from, to time.Time, slack time.Duration) (first, last ID, err error) {
	start, end := l.Lifetime()
	lo, hi := from.Add(-slack), to.Add(slack)
	if lo.Before(start) {
		lo = start
	}
	if hi.After(end) {
		hi = end
	}
	if slack < 0 || !from.Before(to) || !lo.Before(hi) {
		return 0, 0, fmt.Errorf("snowflake: from %v until before %v, slack %v: %w", from.UTC(), to.UTC(), slack, ErrOverflow)
	}
	shift := l.WorkerBits + l.SequenceBits
	first = ID(l.tick(lo.UnixMilli()) << shift)
	last = ID(l.tick(hi.Add(-1).UnixMilli())<<shift | (1<<shift - 1))
	return first, last, nil
}
