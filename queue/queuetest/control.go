package queuetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func cancels(s *suite) {
	q := s.open()
	i, c := s.inspector(q)
	dead := s.put(q, "dead", queue.Message{})
	s.must(s.one(q, time.Minute).Settle(s.ctx(), queue.Dead(errBusy)))
	ready := s.put(q, "ready", queue.Message{})
	delayed := s.put(q, "delayed", queue.Message{Delay: time.Hour})
	for _, id := range []queue.ID{ready, delayed, dead} {
		s.must(c.Cancel(s.ctx(), id))
		if err := c.Cancel(s.ctx(), id); !errors.Is(err, queue.ErrNotFound) {
			s.Errorf("second Cancel: %v", err)
		}
		if _, err := i.Get(s.ctx(), id); !errors.Is(err, queue.ErrNotFound) {
			s.Errorf("Get of a cancelled message: %v", err)
		}
	}
	s.nothing(q, 100*time.Millisecond)
	s.equal("cancelled", s.stats(q).Cancelled, 3)
	s.equal("left", s.stats(q).Left(), 0)
}

func cancelsRunning(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	started := make(chan queue.ID, 10)
	causes := make(chan error, 10)
	s.consume(q, func(ctx context.Context, d *queue.Delivery) error {
		started <- d.ID
		<-ctx.Done()
		causes <- context.Cause(ctx)
		return ctx.Err()
	}, queue.ConsumeOptions{Lease: 600 * time.Millisecond})
	s.put(q, "m", queue.Message{})
	s.must(c.Cancel(s.ctx(), next(s, started)))
	if err := next(s, causes); !errors.Is(err, queue.ErrLeaseLost) {
		s.Errorf("the cause is %v", err)
	}
	s.until("it is counted", func() bool { return s.stats(q).Cancelled == 1 })
	time.Sleep(700 * time.Millisecond)
	s.equal("further runs", len(started), 0)
	s.equal("left", s.stats(q).Left(), 0)
}

func pauses(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	var log diary
	s.consume(s.open(), log.record, queue.ConsumeOptions{})
	s.must(c.Pause(s.ctx(), time.Time{}))
	s.put(q, "1", queue.Message{})
	if _, err := q.Receive(s.ctx(), 1, time.Minute); !errors.Is(err, queue.ErrPaused) {
		s.Errorf("Receive: %v", err)
	}
	time.Sleep(100 * time.Millisecond)
	s.equal("runs while paused", log.len(), 0)
	s.must(c.Resume(s.ctx()))
	s.until("it runs after Resume", func() bool { return log.len() == 1 })

	s.must(c.Pause(s.ctx(), time.Now().Add(300*time.Millisecond)))
	s.put(q, "2", queue.Message{})
	time.Sleep(100 * time.Millisecond)
	s.equal("runs while paused", log.len(), 1)
	s.until("it runs after the pause", func() bool { return log.len() == 2 })
}

func purges(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	s.put(q, "in flight", queue.Message{})
	held := s.one(q, time.Minute)
	_, err := q.EnqueueMany(s.ctx(), numbered(1200))
	s.must(err)
	s.put(q, "delayed", queue.Message{Delay: time.Hour})
	n, err := c.Purge(s.ctx(), queue.StateReady)
	s.must(err)
	s.equal("purged", n, 1200)
	st := s.stats(q)
	s.equal("left", []int{st.ReadyTotal(), st.InFlight, st.Delayed}, []int{0, 1, 1})
	n, err = c.Purge(s.ctx())
	s.must(err)
	s.equal("purged", n, 1)
	s.must(held.Settle(s.ctx(), nil))
	s.equal("left", s.stats(q).Left(), 0)
}

func redrives(s *suite) {
	q := s.open()
	i, c := s.inspector(q)
	for _, text := range []string{"a", "b", "c"} {
		s.put(q, text, queue.Message{MaxAttempts: 2})
		d := s.one(q, time.Minute)
		s.must(d.Settle(s.ctx(), queue.Dead(errors.New("bad "+text))))
	}
	n, err := c.Redrive(s.ctx(), queue.RedriveOptions{Filter: func(m queue.Info) bool { return m.LastError == "bad b" }})
	s.must(err)
	s.equal("redriven", n, 1)
	page, err := i.List(s.ctx(), queue.ListRequest{State: queue.StateDead})
	s.must(err)
	s.equal("dead", len(page.Messages), 2)
	d := s.one(q, time.Minute)
	s.equal("redriven", string(d.Payload), "b")
	s.equal("attempt", d.Attempt, 1)
	s.must(d.Settle(s.ctx(), nil))
	n, err = c.Redrive(s.ctx(), queue.RedriveOptions{Max: 1})
	s.must(err)
	s.equal("redriven", n, 1)
	s.equal("dead", s.stats(q).Dead, 1)
}

func redrivesSlowly(s *suite) {
	q := s.open()
	_, c := s.inspector(q)
	for i := range 6 {
		s.put(q, fmt.Sprint(i), queue.Message{})
	}
	for _, d := range s.receive(q, 6, time.Minute) {
		s.must(d.Settle(s.ctx(), queue.Dead(errBusy)))
	}
	began := time.Now()
	n, err := c.Redrive(s.ctx(), queue.RedriveOptions{Rate: queue.Rate{N: 10, Per: time.Second, Burst: 2}})
	s.must(err)
	s.equal("redriven", n, 6)
	s.equal("dead", s.stats(q).Dead, 0)
	if took := time.Since(began); took < 350*time.Millisecond {
		s.Errorf("it took %v: faster than the rate", took)
	}
	_, err = c.Redrive(s.ctx(), queue.RedriveOptions{Rate: queue.Rate{N: -1}})
	if !errors.Is(err, queue.ErrInvalid) {
		s.Errorf("a negative rate: %v", err)
	}
}
