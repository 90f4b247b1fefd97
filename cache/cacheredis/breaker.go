package cacheredis

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// breaker keeps calls from waiting for a server that does not answer. It opens
// after some failures without an answer between them; then one goroutine asks the
// server until it answers, and callers learn at once that it is away.
type breaker struct {
	failures atomic.Int32
	isOpen   atomic.Bool
	looking  atomic.Bool
}

// tolerance is the number of failures in a row that open the breaker.
const tolerance = 3

func (b *breaker) open() bool { return b.isOpen.Load() }

func (b *breaker) ok() {
	if b.failures.Load() != 0 {
		b.failures.Store(0)
	}
}

// failed reports whether this failure opened the breaker.
func (b *breaker) failed() bool {
	return b.failures.Add(1) >= tolerance && b.isOpen.CompareAndSwap(false, true)
}

func (b *breaker) close() {
	b.failures.Store(0)
	b.isOpen.Store(false)
}

// suspect looks at once whether the server answers, on the reader's word that it
// does not: then no caller has to find out by waiting.
func (s *Store) suspect() {
	if s.breaker.open() || !s.breaker.looking.CompareAndSwap(false, true) {
		return
	}
	started := s.group.Go("look", func(ctx context.Context) {
		defer s.breaker.looking.Store(false)
		if s.ask(ctx, lookTimeout) || ctx.Err() != nil {
			return
		}
		if s.breaker.isOpen.CompareAndSwap(false, true) {
			s.group.Go("probe", s.probe)
		}
	})
	if !started {
		s.breaker.looking.Store(false)
	}
}

// lookTimeout is how long a server may take to answer before it counts as away.
const lookTimeout = 500 * time.Millisecond

// probe asks the server until it answers, and closes the breaker.
func (s *Store) probe(ctx context.Context) {
	wait := backoff.Policy{Base: 50 * time.Millisecond, Max: time.Second, Jitter: 0.2}
	for attempt := 0; backoff.Sleep(ctx, wait.Delay(attempt)) == nil; attempt++ {
		if s.ask(ctx, lookTimeout) {
			s.breaker.close()
			return
		}
	}
}

// ask reports whether the server answers.
func (s *Store) ask(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := s.client.HGet(ctx, s.buckets[0].meta, "g").Err()
	return err == nil || !away(err)
}
