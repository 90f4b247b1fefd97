package queuetest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func delivers(s *suite) {
	q := s.open()
	header := map[string]string{"traceparent": "00-1-2-01", "x": ""}
	sent := queue.Message{Kind: "mail", Payload: []byte("p\x00"), Header: header, Timeout: time.Minute, MaxAttempts: 7}
	id, err := q.Enqueue(s.ctx(), sent)
	s.must(err)
	var runs atomic.Int32
	got := make(chan *queue.Delivery, 10)
	s.consume(s.open(), func(_ context.Context, d *queue.Delivery) error {
		runs.Add(1)
		got <- d
		return nil
	}, queue.ConsumeOptions{})
	d := next(s, got)
	s.equal("id", d.ID, id)
	s.equal("attempt", d.Attempt, 1)
	if d.Kind != sent.Kind || string(d.Payload) != "p\x00" || !maps.Equal(d.Header, header) ||
		d.Timeout != sent.Timeout || d.MaxAttempts != 7 {
		s.Errorf("got %+v, want %+v", d.Message, sent)
	}
	if age := time.Since(d.EnqueuedAt); age < -time.Minute || age > time.Minute {
		s.Errorf("enqueued at %v, %v ago", d.EnqueuedAt, age)
	}
	time.Sleep(50 * time.Millisecond)
	s.equal("runs", runs.Load(), 1)
}

func batch(s *suite) {
	const n = 2500
	q := s.open()
	results, err := q.EnqueueMany(s.ctx(), numbered(n))
	s.must(err)
	s.equal("results", len(results), n)
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{})
	s.until("all have run", func() bool { return log.len() >= n })
	counts := log.counts()
	s.equal("messages", len(counts), n)
	s.equal("runs", log.len(), n)
}

func refuses(s *suite) {
	q := s.openWith(queue.Options{MaxPayload: 10})
	messages := []queue.Message{
		{Payload: []byte("good")},
		{Payload: make([]byte, 11)},
		{Payload: []byte("bad"), Priority: 9},
		{Payload: []byte("fine")},
	}
	results, err := q.EnqueueMany(s.ctx(), messages)
	if !errors.Is(err, queue.ErrPayloadTooLarge) || !errors.Is(err, queue.ErrInvalid) {
		s.Errorf("EnqueueMany: %v", err)
	}
	if !errors.Is(results[1].Err, queue.ErrPayloadTooLarge) || !errors.Is(results[2].Err, queue.ErrInvalid) {
		s.Errorf("results: %v", results)
	}
	if results[0].Err != nil || results[3].Err != nil {
		s.Fatalf("good messages were refused: %v", results)
	}
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{})
	s.until("both good ones have run", func() bool { return log.len() == 2 })
}

func shares(s *suite) {
	const n = 300
	var log diary
	var nodes [3]atomic.Int32
	for i := range nodes {
		s.consume(s.open(), func(_ context.Context, d *queue.Delivery) error {
			nodes[i].Add(1)
			log.note(d)
			time.Sleep(2 * time.Millisecond)
			return nil
		}, queue.ConsumeOptions{Concurrency: 2, Prefetch: -1})
	}
	_, err := s.open().EnqueueMany(s.ctx(), numbered(n))
	s.must(err)
	s.until("all have run", func() bool { return log.len() >= n })
	time.Sleep(20 * time.Millisecond)
	s.equal("runs", log.len(), n)
	s.equal("messages", len(log.counts()), n)
	for i := range nodes {
		if nodes[i].Load() == 0 {
			s.Errorf("node %d ran nothing", i)
		}
	}
}

func wakesUp(s *suite) {
	q := s.open()
	arrived := make(chan time.Time, 1)
	for range 3 {
		s.consume(s.open(), func(context.Context, *queue.Delivery) error {
			arrived <- time.Now()
			return nil
		}, queue.ConsumeOptions{})
	}
	var worst time.Duration
	for i := range 5 {
		time.Sleep(time.Duration(130*i) * time.Millisecond) // any phase of a poll
		sent := time.Now()
		s.put(q, "wake", queue.Message{})
		worst = max(worst, next(s, arrived).Sub(sent))
	}
	if worst > 400*time.Millisecond {
		s.Errorf("a message waited %v for an idle consumer", worst)
	}
}

func kinds(s *suite) {
	type order struct{ Number int }
	q := s.open()
	mux := queue.NewMux()
	got := make(chan int, 1)
	queue.Handle(mux, "order", queue.JSON[order](), func(_ context.Context, o order, _ *queue.Delivery) error {
		got <- o.Number
		return nil
	})
	errs := make(chan error, 100)
	s.consume(q, mux.Serve, queue.ConsumeOptions{OnError: func(err error) { errs <- err }})
	_, err := queue.Of(q, "order", queue.JSON[order]()).Enqueue(s.ctx(), order{117}, queue.Message{})
	s.must(err)
	s.equal("number", next(s, got), 117)
	s.put(q, "?", queue.Message{Kind: "unheard of"})
	if err := next(s, errs); !errors.Is(err, queue.ErrUnknownKind) {
		s.Errorf("unknown kind: %v", err)
	}
}

func batchHandler(s *suite) {
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(40))
	s.must(err)
	var log diary
	var largest atomic.Int32
	var once sync.Once
	h := queue.Batch(10, 50*time.Millisecond, func(_ context.Context, list []*queue.Delivery) []error {
		errs := make([]error, len(list))
		largest.Store(max(largest.Load(), int32(len(list))))
		for _, d := range list {
			log.note(d)
		}
		once.Do(func() { errs[len(errs)-1] = queue.RetryIn(0, errors.New("last of the first batch")) })
		return errs
	})
	s.consume(q, h, queue.ConsumeOptions{Concurrency: 20})
	s.until("all have run, one twice", func() bool { return log.len() == 41 })
	if n := largest.Load(); n < 2 || n > 10 {
		s.Errorf("the largest batch had %d messages", n)
	}
}

func middleware(s *suite) {
	q := s.open()
	var mu sync.Mutex
	var seen []string
	wrap := func(name string) queue.Middleware {
		return func(next queue.Handler) queue.Handler {
			return func(ctx context.Context, d *queue.Delivery) error {
				mu.Lock()
				seen = append(seen, name)
				mu.Unlock()
				return next(ctx, d)
			}
		}
	}
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{Middleware: []queue.Middleware{wrap("outer"), wrap("inner")}})
	s.put(q, "m", queue.Message{})
	s.until("it has run", func() bool { return log.len() == 1 })
	mu.Lock()
	defer mu.Unlock()
	s.equal("order", seen, []string{"outer", "inner"})
}

func endedContext(s *suite) {
	q := s.open()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := q.Enqueue(ctx, queue.Message{Payload: []byte("never")}); !errors.Is(err, context.Canceled) {
		s.Errorf("Enqueue: %v", err)
	}
	s.put(q, "later", queue.Message{})
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{})
	s.until("a message has run", func() bool { return log.len() >= 1 })
	if got := log.texts(); !slices.Equal(got, []string{"later"}) {
		s.Error(fmt.Sprint("ran: ", got))
	}
}
