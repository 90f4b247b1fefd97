package queuetest

import (
	"context"
	"errors"
	"runtime"
	"time"

	"github.com/cohort-go/cohort/queue"
)

var errBusy = errors.New("the mail server is busy")

func retries(s *suite) {
	q := s.open()
	var log diary
	pause := func(failures int, err error) time.Duration {
		if !errors.Is(err, errBusy) {
			s.Errorf("backoff got %v", err)
		}
		return time.Duration(failures) * 100 * time.Millisecond
	}
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if d.Attempt < 3 {
			return errBusy
		}
		return nil
	}, queue.ConsumeOptions{Backoff: pause})
	s.put(q, "m", queue.Message{})
	s.until("three attempts", func() bool { return log.len() == 3 })
	time.Sleep(50 * time.Millisecond)
	runs := log.all()
	s.equal("runs", len(runs), 3)
	for i, r := range runs {
		s.equal("attempt", r.attempt, i+1)
		if i == 0 {
			continue
		}
		if gap := r.at.Sub(runs[i-1].at); gap < time.Duration(i)*100*time.Millisecond {
			s.Errorf("attempt %d came after %v", r.attempt, gap)
		}
	}
}

func retriesIn(s *suite) {
	q := s.open()
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if d.Attempt == 1 {
			return queue.RetryIn(300*time.Millisecond, errBusy)
		}
		return nil
	}, queue.ConsumeOptions{Backoff: func(int, error) time.Duration { return time.Hour }})
	s.put(q, "m", queue.Message{})
	s.until("two attempts", func() bool { return log.len() == 2 })
	runs := log.all()
	s.equal("attempt", runs[1].attempt, 2)
	if gap := runs[1].at.Sub(runs[0].at); gap < 300*time.Millisecond {
		s.Errorf("the second attempt came after %v", gap)
	}
}

func panics(s *suite) {
	q := s.open()
	var log diary
	errs := make(chan error, 10)
	var broken queue.Handler
	s.consume(q, func(ctx context.Context, d *queue.Delivery) error {
		log.note(d)
		if d.Attempt == 1 {
			return broken(ctx, d)
		}
		return nil
	}, queue.ConsumeOptions{
		Concurrency: 1,
		Backoff:     func(int, error) time.Duration { return 0 },
		OnError:     func(err error) { errs <- err },
	})
	s.put(q, "m", queue.Message{})
	s.until("a second attempt", func() bool { return log.len() == 2 })
	if err := next(s, errs); !errors.Is(err, queue.ErrHandlerPanic) {
		s.Errorf("reported %v", err)
	}
}

func exits(s *suite) {
	q := s.open()
	var log diary
	errs := make(chan error, 10)
	exit := func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if d.Attempt == 1 {
			runtime.Goexit()
		}
		return nil
	}
	together := queue.Batch(2, 10*time.Millisecond, func(ctx context.Context, batch []*queue.Delivery) []error {
		for _, d := range batch {
			_ = exit(ctx, d) // returns only if it did not exit
		}
		return nil
	})
	for _, h := range []queue.Handler{exit, together} {
		c := s.consume(q, h, queue.ConsumeOptions{
			Concurrency: 2,
			Backoff:     func(int, error) time.Duration { return 0 },
			OnError:     func(err error) { errs <- err },
		})
		before := log.len()
		s.put(q, "m", queue.Message{})
		s.until("a second attempt", func() bool { return log.len() == before+2 })
		if err := next(s, errs); !errors.Is(err, queue.ErrHandlerPanic) {
			s.Errorf("reported %v", err)
		}
		s.must(c.Close(s.ctx()))
	}
}

// inspector returns q's Inspector and Controller.
func (s *suite) inspector(q queue.Queue) (queue.Inspector, queue.Controller) {
	s.Helper()
	i, ok := q.(queue.Inspector)
	c, ok2 := q.(queue.Controller)
	if !ok || !ok2 {
		s.Fatal("the queue is no Inspector or no Controller")
	}
	return i, c
}

func (s *suite) stats(q queue.Queue) queue.Stats {
	s.Helper()
	i, _ := s.inspector(q)
	st, err := i.Stats(s.ctx())
	s.must(err)
	return st
}

func dies(s *suite) {
	q := s.open()
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		return errBusy
	}, queue.ConsumeOptions{Backoff: func(int, error) time.Duration { return 0 }})
	id := s.put(q, "m", queue.Message{MaxAttempts: 3})
	s.until("it is dead", func() bool { return s.stats(q).Dead == 1 })
	time.Sleep(50 * time.Millisecond)
	s.equal("attempts", log.len(), 3)
	i, _ := s.inspector(q)
	info, err := i.Get(s.ctx(), id)
	s.must(err)
	if info.State != queue.StateDead || info.Failures != 3 || info.LastError != errBusy.Error() {
		s.Errorf("got %+v", info)
	}
}

func deadAtOnce(s *suite) {
	q := s.open()
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		return queue.Dead(errBusy)
	}, queue.ConsumeOptions{})
	s.put(q, "m", queue.Message{})
	s.until("it is dead", func() bool { return s.stats(q).Dead == 1 })
	s.equal("attempts", log.len(), 1)
}

func discards(s *suite) {
	q := s.open()
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		return queue.Discard(errBusy)
	}, queue.ConsumeOptions{Concurrency: 1})
	s.put(q, "a", queue.Message{})
	s.put(q, "b", queue.Message{})
	s.until("both have run", func() bool { return log.len() >= 2 })
	time.Sleep(50 * time.Millisecond)
	s.equal("runs", log.len(), 2)
	if q.Capabilities().Can.Has(queue.CanInspect) {
		s.until("both are counted", func() bool { return s.stats(q).Discarded == 2 })
		s.equal("left", s.stats(q).Left(), 0)
	}
}

func snoozes(s *suite) {
	q := s.open()
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if log.len() < 3 {
			return queue.Snooze(100 * time.Millisecond)
		}
		return nil
	}, queue.ConsumeOptions{})
	s.put(q, "m", queue.Message{MaxAttempts: 1})
	s.until("three runs", func() bool { return log.len() == 3 })
	runs := log.all()
	for i, r := range runs {
		s.equal("attempt", r.attempt, 1)
		if i > 0 && r.at.Sub(runs[i-1].at) < 100*time.Millisecond {
			s.Errorf("run %d came after %v", i, r.at.Sub(runs[i-1].at))
		}
	}
}

func timesOut(s *suite) {
	q := s.open()
	var log diary
	causes := make(chan error, 10)
	s.consume(q, func(ctx context.Context, d *queue.Delivery) error {
		log.note(d)
		if d.Attempt == 2 {
			return nil
		}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return ctx.Err()
	}, queue.ConsumeOptions{Backoff: func(int, error) time.Duration { return 0 }})
	s.put(q, "m", queue.Message{Timeout: 100 * time.Millisecond})
	if err := next(s, causes); !errors.Is(err, queue.ErrTimeout) {
		s.Errorf("the cause is %v", err)
	}
	s.until("a second attempt", func() bool { return log.len() == 2 })
	s.equal("attempt", log.all()[1].attempt, 2)
}

func stuck(s *suite) {
	q := s.open()
	var log diary
	errs := make(chan error, 10)
	release := make(chan struct{})
	s.Cleanup(func() { close(release) })
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if d.Attempt == 1 {
			<-release
		}
		return nil
	}, queue.ConsumeOptions{
		Concurrency: 2, Timeout: 100 * time.Millisecond,
		Backoff: func(int, error) time.Duration { return 0 },
		OnError: func(err error) { errs <- err },
	})
	s.put(q, "m", queue.Message{})
	if err := next(s, errs); !errors.Is(err, queue.ErrHandlerStuck) {
		s.Errorf("reported %v", err)
	}
	s.until("a second attempt", func() bool { return log.len() == 2 })
	s.equal("attempt", log.all()[1].attempt, 2)
}
