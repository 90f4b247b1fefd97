package snowflake

import (
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// Options configure a Generator. The zero value of each field means its default.
type Options struct {
	// Layout is the same on all nodes, for good. Default [Compat53].
	Layout Layout
	// MaxAhead is how far the time in an ID may be ahead of the clock, in whole
	// milliseconds: in a burst, later ticks are used up in advance. Default one
	// second or one tick, whichever is longer; never more than the worker's own
	// MaxAhead.
	MaxAhead time.Duration
	// AwaitRebind makes Next, Fill and All wait for a Rebind, as they wait for a
	// tick, when the worker number is lost. Set it where somebody sees to that,
	// as cohort.Node does. Default: [workerid.ErrLost] at once.
	AwaitRebind bool
}

func (o Options) withDefaults(worker workerid.Worker) (Options, error) {
	if o.Layout == (Layout{}) {
		o.Layout = Compat53()
	}
	if o.MaxAhead == 0 {
		o.MaxAhead = min(max(time.Second, o.Layout.Tick), worker.MaxAhead().Truncate(time.Millisecond))
	}
	if o.MaxAhead < 0 || o.MaxAhead%time.Millisecond != 0 {
		return o, errors.Join(fmt.Errorf("MaxAhead is %v, want whole milliseconds", o.MaxAhead), o.Layout.Validate())
	}
	return o, o.Layout.Validate()
}

// check reports everything that makes worker unfit for o.
func (o Options) check(worker workerid.Worker) error {
	var errs []error
	if n := worker.ID(); n < 0 || n >= 1<<o.Layout.WorkerBits {
		errs = append(errs, fmt.Errorf("worker number %d %w: it has %d bits", n, ErrOverflow, o.Layout.WorkerBits))
	}
	if most := worker.MaxTick(); o.Layout.Tick > most {
		errs = append(errs, fmt.Errorf("layout: Tick is %v, but the number is leased for ticks of %v at most (MaxTick)", o.Layout.Tick, most))
	}
	if most := worker.MaxAhead(); o.MaxAhead > most {
		errs = append(errs, fmt.Errorf("MaxAhead is %v, but the number is leased for %v at most", o.MaxAhead, most))
	}
	if cause := ended(worker); cause != nil {
		errs = append(errs, cause)
	}
	return errors.Join(errs...)
}
