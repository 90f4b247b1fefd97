package queuetest

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// gauge notes how many run at once.
type gauge struct{ now, most atomic.Int64 }

func (g *gauge) enter() {
	n := g.now.Add(1)
	for m := g.most.Load(); n > m && !g.most.CompareAndSwap(m, n); m = g.most.Load() {
	}
}

func concurrency(s *suite) {
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(60))
	s.must(err)
	var g gauge
	var log diary
	s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		g.enter()
		defer g.now.Add(-1)
		time.Sleep(5 * time.Millisecond)
		log.note(d)
		return nil
	}, queue.ConsumeOptions{Concurrency: 5})
	s.until("all have run", func() bool { return log.len() == 60 })
	s.equal("at once", g.most.Load(), 5)
}

func gate(s *suite) {
	const n = 100
	q, other := s.open(), s.open()
	var open atomic.Bool
	open.Store(true)
	var log diary
	c := s.consume(q, func(_ context.Context, d *queue.Delivery) error {
		log.note(d)
		if log.len() > 20 {
			time.Sleep(40 * time.Millisecond)
		}
		return nil
	}, queue.ConsumeOptions{Concurrency: 2, Accepting: open.Load})
	_, err := q.EnqueueMany(s.ctx(), numbered(n))
	s.must(err)
	s.until("it works", func() bool { return log.len() > 22 })
	open.Store(false)
	c.Wake()
	time.Sleep(150 * time.Millisecond)
	before := log.len()
	time.Sleep(150 * time.Millisecond)
	s.equal("runs behind a closed gate", log.len()-before, 0)

	var elsewhere diary
	second := s.consume(other, elsewhere.record, queue.ConsumeOptions{})
	s.until("the other node has the rest", func() bool { return elsewhere.len() >= n-before })
	s.must(second.Close(s.ctx()))
	s.put(q, "again", queue.Message{})
	open.Store(true)
	c.Wake()
	s.until("it works again", func() bool { return log.len() > before })
}

func rateLimit(s *suite) {
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(100))
	s.must(err)
	var log diary
	s.consume(q, log.record, queue.ConsumeOptions{RateLimit: queue.Rate{N: 50, Per: time.Second, Burst: 5}})
	s.keepsRate(&log, 50, 5)
}

// keepsRate watches a diary for a second.
func (s *suite) keepsRate(log *diary, perSecond, burst int) {
	s.Helper()
	s.until("it begins", func() bool { return log.len() > 0 })
	time.Sleep(time.Second)
	n := log.len()
	if most := perSecond*11/10 + burst + 1; n > most {
		s.Errorf("%d runs in a second, at most %d", n, most)
	}
	if least := perSecond / 2; n < least {
		s.Errorf("%d runs in a second, at least %d", n, least)
	}
}

func clusterRate(s *suite) {
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(150))
	s.must(err)
	var log diary
	for range 3 {
		s.consume(s.open(), log.record, queue.ConsumeOptions{ClusterRate: queue.Rate{N: 50, Per: time.Second, Burst: 5}})
	}
	s.keepsRate(&log, 50, 5)
}

func rateReturned(s *suite) {
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(2))
	s.must(err)
	rate := queue.Rate{N: 1, Per: time.Hour, Burst: 2}
	started := make(chan string, 10)
	first := s.consume(s.open(), func(ctx context.Context, d *queue.Delivery) error {
		started <- string(d.Payload)
		<-ctx.Done()
		return context.Cause(ctx)
	}, queue.ConsumeOptions{ClusterRate: rate, ShutdownGrace: -1})
	next(s, started)
	next(s, started)
	s.must(first.Close(s.ctx()))
	var log diary
	s.consume(s.open(), log.record, queue.ConsumeOptions{ClusterRate: rate})
	s.until("what was given back may run", func() bool { return log.len() == 2 })
	_, err = q.EnqueueMany(s.ctx(), numbered(2))
	s.must(err)
	s.receive(q, 1, time.Minute) // by one who sets no rate
	time.Sleep(1200 * time.Millisecond)
	s.equal("beyond the rate", log.len(), 2)
}

func maxInFlight(s *suite) {
	q := s.open()
	_, err := q.EnqueueMany(s.ctx(), numbered(60))
	s.must(err)
	var g gauge
	var log diary
	for range 3 {
		s.consume(s.open(), func(_ context.Context, d *queue.Delivery) error {
			g.enter()
			defer g.now.Add(-1)
			time.Sleep(5 * time.Millisecond)
			log.note(d)
			return nil
		}, queue.ConsumeOptions{Concurrency: 4, MaxInFlight: 5})
	}
	began := time.Now()
	s.until("all have run", func() bool { return log.len() == 60 })
	if most := g.most.Load(); most > 5 {
		s.Errorf("%d at once, at most 5", most)
	}
	if took := time.Since(began); took > 3*time.Second {
		s.Errorf("it took %v: freed places are not noticed", took)
	}
}
