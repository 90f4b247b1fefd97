package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Scheduler runs Schedules on a queue whose backend has CanSchedule. The queue
// remembers the last tick of each Schedule and decides, by its own clock, when a
// tick is due, so Schedulers need no leader and no agreed time.
type Scheduler struct {
	backend   ScheduleBackend
	q         *core
	schedules []Schedule
	clocks    []clock
	onError   func(error)
}

// NewScheduler checks schedules. Failures of a tick, which is then tried again,
// go to onError; nil means Options.Logger.
func NewScheduler(q Queue, onError func(error), schedules ...Schedule) (*Scheduler, error) {
	if m, ok := q.(*Memory); ok {
		q = m.Queue
	}
	c, ok := q.(*core)
	if !ok {
		return nil, fmt.Errorf("queue: scheduler: %w: a Queue of this package is needed", ErrUnsupported)
	}
	b, ok := c.backend.(ScheduleBackend)
	if err := c.require(CanSchedule); err != nil || !ok {
		return nil, c.fail("schedule", errors.Join(err, c.require(CanSchedule)))
	}
	s := &Scheduler{backend: b, q: c, schedules: schedules, onError: onError}
	if onError == nil {
		s.onError = func(err error) { c.opts.Logger.Error("queue scheduler", "queue", c.name, "err", err) }
	}
	var errs []error
	for i := range schedules {
		clock, err := schedules[i].clock()
		errs = append(errs, err)
		s.clocks = append(s.clocks, clock)
	}
	return s, c.fail("schedule", errors.Join(errs...))
}

// Run fires ticks until ctx ends or the queue is closed, and returns why.
func (s *Scheduler) Run(ctx context.Context) error {
	leave, err := s.q.life.Enter()
	if err != nil {
		return s.q.fail("schedule", err)
	}
	defer leave()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.q.life.Context(), func() { cancel(ErrClosed) })()
	var wg sync.WaitGroup
	for i := range s.schedules {
		wg.Go(func() { s.run(ctx, &s.schedules[i], s.clocks[i]) })
	}
	wg.Wait()
	return s.q.fail("schedule", context.Cause(ctx))
}

// run fires the ticks of one schedule.
func (s *Scheduler) run(ctx context.Context, sched *Schedule, c clock) {
	p := backoff.Policy{Base: 100 * time.Millisecond, Max: 5 * time.Second, Jitter: 0.3}
	failures := 0
	var since time.Time // from when a schedule counts that never ticked
	for {
		pause, err := s.step(ctx, sched, c, &since)
		if err != nil && ctx.Err() == nil {
			s.onError(s.q.fail("schedule "+sched.Name, err))
			pause = p.Delay(failures)
			failures++
		} else {
			failures = 0
		}
		if backoff.Sleep(ctx, pause) != nil {
			return
		}
	}
}

// step fires what is due and says how long nothing will be. It looks at the
// store's clock at least once a minute, for clocks that run apart.
func (s *Scheduler) step(
	ctx context.Context, sched *Schedule, c clock, since *time.Time,
) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, s.q.opts.OpTimeout)
	defer cancel()
	last, now, err := s.backend.LastTick(ctx, sched.Name)
	if err != nil {
		return 0, err
	}
	if since.IsZero() {
		*since = now
	}
	if last.IsZero() {
		last = *since
	}
	due, next := sched.missed(c, last, now)
	for _, tick := range due {
		if err := s.fire(ctx, sched, tick); err != nil {
			return 0, err
		}
	}
	if next.IsZero() {
		return time.Minute, nil
	}
	return min(max(next.Sub(now), time.Millisecond), time.Minute), nil
}

func (s *Scheduler) fire(ctx context.Context, sched *Schedule, tick time.Time) error {
	e, err := s.q.admit(sched.Message(tick))
	if err != nil {
		return err
	}
	res, err := s.backend.Tick(ctx, sched.Name, tick, e)
	if err != nil {
		return err
	}
	return res.Err
}
