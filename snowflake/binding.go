package snowflake

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// A binding is one generator's use of one worker number. Only ceiling changes;
// another number is another binding.
//
// Its unit is the counter: tick << SequenceBits | sequence, so that adding 1 to the
// last sequence of a tick gives the first one of the next.
type binding struct {
	terms

	counter *atomic.Uint64 // the next free counter; shared by all who use this number
	// ceiling is above every counter that may be taken now; 0 when the next caller
	// has to read the clock. Guarded by Generator.mu for writing.
	ceiling atomic.Uint64

	number       uint64 // of the worker, in its place inside an ID
	sequenceMask uint64
	workerBits   uint8
	worker       workerid.Worker
	begun        time.Time
}

func newBinding(worker workerid.Worker, o Options, floor uint64) *binding {
	l := o.Layout
	cursor := worker.Cursor(workerid.Grid{Epoch: l.Epoch, Tick: l.Tick, SequenceBits: l.SequenceBits})
	b := &binding{
		counter:      &cursor.Counter,
		number:       uint64(worker.ID()) << l.SequenceBits,
		sequenceMask: 1<<l.SequenceBits - 1,
		workerBits:   l.WorkerBits,
		terms:        terms{layout: l, ahead: o.MaxAhead.Milliseconds()},
		worker:       worker,
		begun:        time.Now(),
	}
	now, window := worker.Now(), worker.Window()
	cursor.Advance(floor)
	b.start(now, window, b.raise(b.opening(window)))
	b.goOn(now, floor)
	return b
}

// instant reads the clocks.
func (b *binding) instant() instant {
	return instant{now: b.worker.Now(), elapsed: time.Since(b.begun).Milliseconds()}
}

// take takes one counter. It looks before it adds: otherwise those who ask again
// and again would push the counter years ahead.
func (b *binding) take() (n uint64, ok bool) {
	ceiling := b.ceiling.Load()
	if b.counter.Load() >= ceiling {
		return 0, false
	}
	n = b.counter.Add(1) - 1
	return n, n < ceiling
}

// takeUpTo takes up to most counters in a row, from first on.
func (b *binding) takeUpTo(most uint64) (first, count uint64) {
	ceiling := b.ceiling.Load()
	for {
		first = b.counter.Load()
		if first >= ceiling {
			return 0, 0
		}
		count = min(most, ceiling-first)
		if b.counter.CompareAndSwap(first, first+count) {
			return first, count
		}
	}
}

// raise makes the counter at least to, and returns it. A sealed counter stays.
func (b *binding) raise(to uint64) uint64 {
	for {
		c := b.counter.Load()
		if c >= to {
			return c
		}
		if b.counter.CompareAndSwap(c, to) {
			return to
		}
	}
}

// id puts the worker number between the two parts of a counter.
func (b *binding) id(n uint64) ID {
	return ID((n&^b.sequenceMask)<<(b.workerBits&63) | b.number | n&b.sequenceMask)
}

// row writes the IDs of the counters from first on. Within a tick they ascend by 1.
func (b *binding) row(ids []ID, first uint64) {
	for len(ids) > 0 {
		inTick := min(uint64(len(ids)), b.sequenceMask+1-first&b.sequenceMask)
		id := b.id(first)
		for i := range ids[:inTick] {
			ids[i] = id + ID(i)
		}
		ids, first = ids[inTick:], first+inTick
	}
}

// sealed reports whether c says that the number may no longer be used.
func sealed(c uint64) bool { return c >= workerid.Sealed }

// next returns the first counter of the first tick that b has not touched.
func (b *binding) next() uint64 {
	c := b.counter.Load() &^ workerid.Sealed
	return (c + b.sequenceMask) &^ b.sequenceMask
}

// ended returns why worker may no longer be used, or nil.
func ended(worker workerid.Worker) error {
	if ctx := worker.Context(); ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
