package queuetest

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func heartbeat(s *suite) {
	q := s.open()
	var log diary
	s.put(q, "m", queue.Message{})
	for range 2 {
		s.consume(s.open(), func(ctx context.Context, d *queue.Delivery) error {
			log.note(d)
			select {
			case <-time.After(1500 * time.Millisecond):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}, queue.ConsumeOptions{Lease: 600 * time.Millisecond, Concurrency: 1})
	}
	s.until("it has run", func() bool { return log.len() >= 1 })
	time.Sleep(1700 * time.Millisecond)
	s.equal("runs", log.len(), 1)
}

func holdsBuffered(s *suite) {
	const n = 40
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(n))
	s.must(err)
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if log.len() > n/2 {
			time.Sleep(300 * time.Millisecond) // turns slow when much is held
		}
		return nil
	}, queue.ConsumeOptions{Lease: 600 * time.Millisecond, Concurrency: 4})
	s.until("all have run", func() bool { return log.len() >= n })
	time.Sleep(400 * time.Millisecond)
	s.equal("runs", log.len(), n)
	for text, runs := range log.counts() {
		if runs != 1 {
			s.Errorf("%s ran %d times", text, runs)
		}
	}
}

func lapses(s *suite) {
	q := s.open()
	s.put(q, "m", queue.Message{MaxAttempts: 1})
	taken := time.Now()
	first := s.one(q, 300*time.Millisecond)
	second := s.one(s.open(), time.Minute)
	if took := time.Since(taken); took < 250*time.Millisecond || took > 1300*time.Millisecond {
		s.Errorf("it came again after %v", took)
	}
	s.equal("id", second.ID, first.ID)
	s.equal("attempt", second.Attempt, 1)
	s.must(second.Settle(s.ctx(), nil))
}

// lost checks that a lease is over and that nothing it can do is done.
func (s *suite) lost(what string, d *queue.Delivery) {
	s.Helper()
	type try struct {
		name string
		do   func() error
	}
	tries := []try{
		{"done", func() error { return d.Settle(s.ctx(), nil) }},
		{"retry", func() error { return d.Settle(s.ctx(), queue.RetryIn(0, errBusy)) }},
		{"snooze", func() error { return d.Settle(s.ctx(), queue.Snooze(time.Hour)) }},
		{"discard", func() error { return d.Settle(s.ctx(), queue.Discard(errBusy)) }},
		{"dead", func() error { return d.Settle(s.ctx(), queue.Dead(errBusy)) }},
		{"release", func() error { return d.Release(s.ctx()) }},
	}
	if s.can.Has(queue.CanLease) {
		tries = append(tries, try{"extend", func() error { return d.Extend(s.ctx(), time.Minute) }})
	}
	for _, t := range tries {
		if err := t.do(); !errors.Is(err, queue.ErrLeaseLost) {
			s.Errorf("%s, %s: got %v, want ErrLeaseLost", what, t.name, err)
		}
	}
}

func staleLapsed(s *suite) {
	q := s.open()
	s.put(q, "m", queue.Message{})
	first := s.one(q, 200*time.Millisecond)
	second := s.one(q, time.Minute)
	s.lost("lapsed", first)
	s.must(second.Extend(s.ctx(), time.Minute))
	s.must(second.Settle(s.ctx(), nil))
	s.lost("settled", second)
	s.nothing(q, 50*time.Millisecond)
}

func staleReleased(s *suite) {
	q := s.open()
	s.put(q, "m", queue.Message{})
	ends := map[string]func(d *queue.Delivery) error{
		"released": func(d *queue.Delivery) error { return d.Release(s.ctx()) },
		"snoozed":  func(d *queue.Delivery) error { return d.Settle(s.ctx(), queue.Snooze(time.Millisecond)) },
		"retried":  func(d *queue.Delivery) error { return d.Settle(s.ctx(), queue.RetryIn(0, errBusy)) },
	}
	var older []*queue.Delivery
	for what, end := range ends {
		d := s.one(q, time.Minute)
		s.must(end(d))
		s.lost(what+", not leased again", d)
		older = append(older, d)
	}
	now := s.one(q, time.Minute)
	for _, d := range older {
		s.lost("leased again", d)
	}
	s.must(now.Settle(s.ctx(), nil))
	s.nothing(q, 50*time.Millisecond)
}

func staleReused(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	s.put(q, "m", queue.Message{})
	first := s.one(q, time.Minute)
	s.must(first.Settle(s.ctx(), queue.Dead(errBusy)))
	s.lost("dead", first)
	n, err := c.Redrive(s.ctx(), queue.RedriveOptions{})
	s.must(err)
	s.equal("redriven", n, 1)
	second := s.one(q, time.Minute)
	s.equal("attempt", second.Attempt, 1)
	s.lost("redriven", first)
	s.must(second.Settle(s.ctx(), nil))
}

func isolates(s *suite) {
	q := s.open()
	poison := s.put(q, "poison", queue.Message{MaxAttempts: 2})
	lease := 150 * time.Millisecond
	lose := func() {
		s.Helper()
		d := s.one(q, lease)
		s.equal("id", d.ID, poison)
		time.Sleep(lease + 20*time.Millisecond)
	}
	lose() // suspect
	lose() // runs alone from now on
	healthy, cured := s.put(q, "healthy", queue.Message{}), 0
	cure := func(d *queue.Delivery) {
		s.equal("id", d.ID, healthy)
		s.equal("attempt", d.Attempt, 1)
		s.must(d.Settle(s.ctx(), nil))
		cured++
	}
	for attempt := range 2 { // each counts, and the second is the last
		d := s.one(q, lease)
		if d.ID == healthy && !s.can.Has(queue.CanReturn) { // it is at no head, so others may pass
			cure(d)
			d = s.one(q, lease)
		}
		s.equal("alone", d.ID, poison)
		s.equal("attempt", d.Attempt, attempt+1)
		time.Sleep(lease + 20*time.Millisecond)
	}
	if cured == 0 {
		cure(s.one(q, time.Minute))
	}
	s.nothing(q, 50*time.Millisecond)
	s.equal("dead", s.stats(q).Dead, 1)
}

func extends(s *suite) {
	q := s.open()
	s.put(q, "m", queue.Message{})
	d := s.one(q, 300*time.Millisecond)
	s.must(d.Extend(s.ctx(), time.Second))
	s.nothing(q, 600*time.Millisecond)
	s.must(d.Extend(s.ctx(), time.Second))
	s.must(d.Settle(s.ctx(), nil))
}
