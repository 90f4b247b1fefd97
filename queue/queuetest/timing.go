package queuetest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func delays(s *suite) {
	q := s.open()
	due := make(map[string]time.Time)
	var mu sync.Mutex
	var late, early time.Duration
	var log diary
	s.consume(s.open(), func(_ context.Context, d *queue.Delivery) error {
		mu.Lock()
		off := time.Since(due[string(d.Payload)])
		late, early = max(late, off), min(early, off)
		mu.Unlock()
		log.note(d)
		return nil
	}, queue.ConsumeOptions{})
	for i := range 8 {
		text, d := fmt.Sprint(i), time.Duration(8-i)*60*time.Millisecond
		mu.Lock()
		due[text] = time.Now().Add(d)
		mu.Unlock()
		m := queue.Message{Delay: d}
		if i%2 == 0 {
			m = queue.Message{At: time.Now().Add(d)}
		}
		s.put(q, text, m)
	}
	s.until("all have run", func() bool { return log.len() == 8 })
	mu.Lock()
	defer mu.Unlock()
	if early < -5*time.Millisecond { // clocks of the store and the test are rounded
		s.Errorf("a message was early by %v", -early)
	}
	if bound := 400*time.Millisecond + 4*q.Capabilities().Grain; late > bound { // below any poll, above a busy machine
		s.Errorf("a message was late by %v", late)
	}
}

func expires(s *suite) {
	q := s.open()
	s.put(q, "short", queue.Message{TTL: 100 * time.Millisecond})
	s.put(q, "past", queue.Message{Deadline: time.Now().Add(-time.Hour)})
	s.put(q, "long", queue.Message{TTL: time.Hour})
	time.Sleep(150 * time.Millisecond)
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{})
	s.until("the expired are counted", func() bool { return s.stats(q).Expired == 2 })
	s.until("one has run", func() bool { return log.len() == 1 })
	s.equal("ran", log.texts(), []string{"long"})
}

func schedules(s *suite) {
	q := s.open()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 5 {
		sched, err := queue.NewScheduler(s.open(), func(err error) { s.Error(err) }, queue.Schedule{
			Name: "tick", Cron: "@every 1s",
			Message: func(tick time.Time) queue.Message {
				return queue.Message{Payload: []byte(tick.UTC().Format(time.RFC3339Nano))}
			},
		})
		s.must(err)
		wg.Go(func() { _ = sched.Run(ctx) }) // its error is the end of ctx
	}
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{})
	s.until("three ticks", func() bool { return log.len() >= 3 })
	cancel()
	wg.Wait()
	time.Sleep(50 * time.Millisecond)
	for tick, n := range log.counts() {
		if n != 1 {
			s.Errorf("tick %s fired %d times", tick, n)
		}
	}
}
