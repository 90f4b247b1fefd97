package queuetest

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func givesBack(s *suite) {
	const n = 216
	q, other := s.open(), s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(n))
	s.must(err)
	var log diary
	var turn atomic.Int32 // each handler has its own: exactly 100 return
	c := s.consume(q, func(ctx context.Context, d *queue.Delivery) error {
		log.note(d)
		if turn.Add(1) <= 100 {
			return nil // fast at first, so that much is held
		}
		<-ctx.Done()
		return nil
	}, queue.ConsumeOptions{Concurrency: 16, Prefetch: 100, ShutdownGrace: 100 * time.Millisecond})
	s.until("all workers are busy", func() bool { return log.len() >= 116 })
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.must(c.Close(ctx))
	ran := log.counts()
	var rest diary
	s.consume(other, func(_ context.Context, d *queue.Delivery) error {
		if ran[string(d.Payload)] > 0 {
			s.Errorf("%s ran again", d.Payload)
		}
		if d.Attempt != 1 {
			s.Errorf("%s has attempt %d", d.Payload, d.Attempt)
		}
		rest.note(d)
		return nil
	}, queue.ConsumeOptions{Concurrency: 1})
	s.until("the rest has run", func() bool { return rest.len() >= n-len(ran) })
	if got := rest.texts(); !slices.IsSorted(got) {
		s.Errorf("the rest ran in the order %v", got)
	}
}

func graceful(s *suite) {
	q := s.open()
	var started, ended diary
	c := s.consume(q, func(ctx context.Context, d *queue.Delivery) error {
		started.note(d)
		select {
		case <-time.After(200 * time.Millisecond):
			ended.note(d)
		case <-ctx.Done():
		}
		return nil
	}, queue.ConsumeOptions{})
	s.put(q, "m", queue.Message{})
	s.until("it runs", func() bool { return started.len() == 1 })
	s.must(c.Close(s.ctx()))
	s.equal("ended", ended.len(), 1)
	s.must(c.Wait())
	s.put(q, "after", queue.Message{})
	time.Sleep(50 * time.Millisecond)
	s.equal("started", started.len(), 1)
}

func interrupts(s *suite) {
	q, other := s.open(), s.open()
	started := make(chan struct{}, 1)
	causes := make(chan error, 1)
	c := s.consume(q, func(ctx context.Context, _ *queue.Delivery) error {
		started <- struct{}{}
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return ctx.Err()
	}, queue.ConsumeOptions{ShutdownGrace: 50 * time.Millisecond})
	s.put(q, "m", queue.Message{})
	next(s, started)
	s.must(c.Close(s.ctx()))
	if err := next(s, causes); !errors.Is(err, queue.ErrShutdown) {
		s.Errorf("the cause is %v", err)
	}
	var log diary
	s.consume(other, log.record, queue.ConsumeOptions{})
	s.until("it has run elsewhere", func() bool { return log.len() == 1 })
	s.equal("attempt", log.all()[0].attempt, 1)
}

func stuckAtClose(s *suite) {
	q, other := s.open(), s.open()
	started, release := make(chan struct{}, 1), make(chan struct{})
	s.Cleanup(func() { close(release) })
	errs := make(chan error, 10)
	c := s.consume(q, func(context.Context, *queue.Delivery) error {
		started <- struct{}{}
		<-release
		return nil
	}, queue.ConsumeOptions{OnError: func(err error) { errs <- err }})
	s.put(q, "m", queue.Message{})
	next(s, started)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	began := time.Now()
	_ = c.Close(ctx) // the handler is reported below
	if took := time.Since(began); took > 1200*time.Millisecond {
		s.Errorf("Close took %v", took)
	}
	if err := next(s, errs); !errors.Is(err, queue.ErrHandlerStuck) {
		s.Errorf("reported %v", err)
	}
	var log diary
	s.consume(other, log.record, queue.ConsumeOptions{})
	s.until("it has run elsewhere", func() bool { return log.len() == 1 })
	s.equal("attempt", log.all()[0].attempt, 1)
}

func consumeContext(s *suite) {
	q := s.open()
	ctx, cancel := context.WithCancelCause(context.WithValue(context.Background(), ctxKey{}, "value"))
	values := make(chan any, 1)
	c, err := q.Consume(ctx, func(ctx context.Context, _ *queue.Delivery) error {
		values <- ctx.Value(ctxKey{})
		return nil
	}, queue.ConsumeOptions{})
	s.must(err)
	s.put(q, "m", queue.Message{})
	s.equal("value", next(s, values), "value")
	cancel(errBusy)
	waited := make(chan error, 1)
	go func() { waited <- c.Wait() }()
	if err := next(s, waited); !errors.Is(err, errBusy) {
		s.Errorf("Wait: %v", err)
	}
}

type ctxKey struct{}

func closed(s *suite) {
	q := s.open()
	c := s.consume(q, func(context.Context, *queue.Delivery) error { return nil }, queue.ConsumeOptions{})
	s.must(q.Close(s.ctx()))
	s.must(q.Close(s.ctx()))
	s.must(c.Close(s.ctx()))
	s.must(c.Wait())
	_, err := q.Enqueue(s.ctx(), queue.Message{})
	_, err2 := q.EnqueueMany(s.ctx(), numbered(1))
	_, err3 := q.Receive(s.ctx(), 1, time.Minute)
	_, err4 := q.Consume(s.ctx(), func(context.Context, *queue.Delivery) error { return nil }, queue.ConsumeOptions{})
	for _, err := range []error{err, err2, err3, err4} {
		if !errors.Is(err, queue.ErrClosed) {
			s.Errorf("got %v, want ErrClosed", err)
		}
	}
}
