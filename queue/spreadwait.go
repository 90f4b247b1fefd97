package queue

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// signalSuffix marks the consumers that only pass on signals.
const signalSuffix = "-signals"

// posts are the waits of a spread. Each shard has one watcher while anybody waits;
// a signal of any shard wakes one of those who wait, who then asks all shards.
type posts struct {
	mu       sync.Mutex
	waiting  map[chan error]struct{}
	watching []bool // by shard
}

func (p *posts) init(shards int) {
	p.waiting, p.watching = make(map[chan error]struct{}), make([]bool, shards)
}

// join adds a place to wait at, and returns the shards that nobody watches.
func (p *posts) join() (place chan error, unwatched []int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	place = make(chan error, 1)
	p.waiting[place] = struct{}{}
	for n, watched := range p.watching {
		if !watched {
			p.watching[n] = true
			unwatched = append(unwatched, n)
		}
	}
	return place, unwatched
}

// leave gives up a place; what was left there meanwhile is its last word.
func (p *posts) leave(place chan error, otherwise error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, place)
	select {
	case err := <-place:
		return err
	default:
		return otherwise
	}
}

// wake wakes one of those who wait, or reports that nobody does.
func (p *posts) wake(err error) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for place := range p.waiting {
		delete(p.waiting, place)
		place <- err
		return true
	}
	return false
}

// needed reports whether anybody waits; if not, shard n is not watched any more.
func (p *posts) needed(n int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watching[n] = len(p.waiting) > 0
	return p.watching[n]
}

// Wait implements Waiter.
func (s *spread) Wait(ctx context.Context, d time.Duration) error {
	place, unwatched := s.posts.join()
	for _, n := range unwatched {
		if !s.life.Go("watch a shard", func(ctx context.Context) { s.watch(ctx, n) }) {
			return s.posts.leave(place, ErrClosed)
		}
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case err := <-place:
		return err
	case <-timer.C:
		return s.posts.leave(place, nil)
	case <-ctx.Done():
		return s.posts.leave(place, context.Cause(ctx))
	}
}

// watch waits for signals of shard n as long as anybody waits for them. A wait that
// nobody is left for goes on to its end, and passes on what it finds.
func (s *spread) watch(ctx context.Context, n int) {
	p := backoff.Policy{Base: 50 * time.Millisecond, Max: time.Second, Jitter: 0.3}
	failures := 0
	for s.posts.needed(n) {
		began := time.Now()
		err := s.shards[n].Wait(ctx, idleWait)
		switch {
		case ctx.Err() != nil:
			s.posts.needed(n)
			return
		case err != nil:
			s.posts.wake(err)
			if backoff.Sleep(ctx, p.Delay(failures)) != nil {
				return
			}
			failures++
			continue
		case time.Since(began) >= idleWait: // no signal came
		case s.posts.wake(nil):
			s.next(n)
		default:
			s.passOn(ctx, n)
		}
		failures = 0
	}
}

// passOn gives back a signal that nobody waits for any more.
func (s *spread) passOn(ctx context.Context, n int) {
	ctx, cancel := context.WithTimeout(ctx, maxReserve)
	defer cancel()
	_, _ = s.shards[n].Claim(ctx, ClaimRequest{Consumer: s.name, Lease: minLease}) // it leases nothing
}

func isSignal(consumer string) bool { return strings.HasSuffix(consumer, signalSuffix) }
