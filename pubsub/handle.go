package pubsub

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// receive takes in one message, in order: repeats are dropped, the others go to
// the handler, at once or as Coalesce wants it.
func (s *subscription) receive(d *Delivery) {
	if s.filter != nil && s.filter.seen(d.origin) {
		s.node.count.repeats.Add(1)
		return
	}
	if s.opts.Coalesce.Window == 0 {
		s.handle(d)
		return
	}
	before := len(s.coalesce.order)
	now := s.coalesce.add(time.Now(), d)
	if len(now) == 0 && before == len(s.coalesce.order) {
		s.node.count.coalesced.Add(1)
	}
	for _, d := range now {
		s.handle(d)
	}
}

// handOver gives the handler what a function of the coalescer returns.
func (s *subscription) handOver(due func(time.Time) []*Delivery) {
	if len(s.coalesce.order) == 0 {
		return
	}
	for _, d := range due(time.Now()) {
		s.handle(d)
	}
}

// flush gives the handler all that waits for its window to end.
func (s *subscription) flush() {
	for _, d := range s.coalesce.flush() {
		s.handle(d)
	}
}

// handle calls the handler until it succeeds or may not be called again.
func (s *subscription) handle(d *Delivery) {
	err := s.attempt(func() error { return s.call(d) })
	if err == nil {
		s.node.count.handled.Add(1)
		return
	}
	s.fail(d, err)
}

// call calls the handler once.
func (s *subscription) call(d *Delivery) error {
	h := s.node.opts.Hooks
	if h == nil || h.Handled == nil {
		return s.protect(func() error { return s.handler(s.ctx, d) })
	}
	began := time.Now()
	err := s.protect(func() error { return s.handler(s.ctx, d) })
	h.Handled(s.ctx, d, time.Since(began), err)
	return err
}

// missed tells the subscription of a Gap, after all that came before it.
func (s *subscription) missed(g Gap) {
	s.flush()
	s.node.count.gaps.Add(1)
	s.node.count.missed.Add(max(g.Missed, 0))
	s.node.opts.Hooks.gap(s.pattern.text, g)
	if s.opts.OnGap == nil {
		s.node.opts.Logger.Warn("pubsub: messages missed", "pattern", s.pattern.text,
			"reason", g.Reason.String(), "missed", g.Missed)
		return
	}
	err := s.attempt(func() error {
		return s.protect(func() error { return s.opts.OnGap(s.ctx, g) })
	})
	if err != nil {
		s.fail(nil, fmt.Errorf("gap: %w", err))
	}
}

// attempt calls f as often as Retry allows.
func (s *subscription) attempt(f func() error) error {
	wait := backoff.Policy{Base: s.opts.Retry.Base, Max: s.opts.Retry.Max, Jitter: 0.1}
	for n := 0; ; n++ {
		err := f()
		if err == nil || n >= s.opts.Retry.Attempts || s.halted() || s.ctx.Err() != nil {
			return err
		}
		s.pause(wait.Delay(n))
	}
}

// protect turns a panic of f into an error with its stack.
func (s *subscription) protect(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.node.count.panics.Add(1)
			err = fmt.Errorf("%w: %v\n%s", ErrPanic, v, debug.Stack())
		}
	}()
	return f()
}

// fail reports an error that no further attempt follows.
func (s *subscription) fail(d *Delivery, err error) {
	s.node.count.failed.Add(1)
	if s.opts.OnError == nil {
		s.node.opts.Logger.Error("pubsub: handler failed", "pattern", s.pattern.text, "error", err)
		return
	}
	_ = s.protect(func() error {
		s.opts.OnError(d, opError("handle", s.pattern.text, err))
		return nil
	})
}
