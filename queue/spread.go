package queue

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"sync"

	"github.com/cohort-go/cohort/internal/lifecycle"
)

var (
	_ Backend        = (*spread)(nil)
	_ Waiter         = (*spread)(nil)
	_ InspectBackend = (*spread)(nil)
	_ ControlBackend = (*spread)(nil)
	_ RecordBackend  = (*spread)(nil)
)

// shard is what a Backend must be to take part in a spread.
type shard interface {
	Backend
	Waiter
	InspectBackend
	ControlBackend
	RecordBackend
}

// MaxShards is how many backends one queue can be spread over.
const MaxShards = 64

// spread keeps each message in one of several backends. Where it is follows from
// its ID alone, so requests about an ID go to one place; claims ask all of them.
type spread struct {
	shards []shard
	caps   Capabilities
	life   *lifecycle.Group
	name   string // of the requests that pass on a signal

	mu    sync.Mutex
	turn  int                  // the shard that is asked first
	ended map[Receipt]struct{} // by a call that failed for others of it
	owed  [][]Receipt          // acknowledgements that a shard did not take
	posts posts                // of those who wait
}

// Spread returns a Backend that spreads the messages of one queue over several,
// at most MaxShards, for more of them than one backend can move. Each must have
// the abilities to wait, inspect, control and record. Which one has a message
// follows from its ID, so all processes name the same backends in the same order.
//
// What needs all messages in one place is not offered: priorities, order by key,
// unique keys, the limits of the whole cluster, schedules, the return to the head.
// Messages start about in the order of Enqueue; List goes from backend to backend.
// A backend that cannot be reached holds up claims from the others for as long as
// a request may take, and loses nothing of theirs.
func Spread(backends ...Backend) (Backend, error) {
	if len(backends) == 0 || len(backends) > MaxShards {
		return nil, fmt.Errorf("queue: %w: %d backends to spread over, want 1 to %d", ErrInvalid, len(backends), MaxShards)
	}
	s := &spread{
		life:  lifecycle.New(ErrClosed),
		name:  consumerName() + signalSuffix,
		ended: make(map[Receipt]struct{}),
		owed:  make([][]Receipt, len(backends)),
		caps:  backends[0].Capabilities(),
	}
	for _, b := range backends {
		one, ok := b.(shard)
		if !ok {
			return nil, fmt.Errorf("queue: %w: %T cannot be one of several backends", ErrUnsupported, b)
		}
		s.shards = append(s.shards, one)
		s.caps.Can &= b.Capabilities().Can
		s.caps.Grain = max(s.caps.Grain, b.Capabilities().Grain)
	}
	s.caps.Can &^= CanPrioritize | CanOrderKeys | CanUnique | CanLimitInFlight | CanLimitRate | CanSchedule | CanReturn
	s.caps.Levels = 1
	s.posts.init(len(backends))
	return s, nil
}

// home is the shard of an ID. Stored messages depend on it: it must not change.
func (s *spread) home(id ID) int {
	h := fnv.New32a()
	_, _ = h.Write(id[:]) // never fails
	return int(h.Sum32() % uint32(len(s.shards)))
}

// Capabilities implements Backend.
func (s *spread) Capabilities() Capabilities { return s.caps }

// Enqueue implements Backend.
func (s *spread) Enqueue(ctx context.Context, batch []Envelope) ([]error, error) {
	if len(batch) == 1 {
		return s.shards[s.home(batch[0].ID)].Enqueue(ctx, batch)
	}
	at := make([][]int, len(s.shards)) // places in batch
	for i := range batch {
		n := s.home(batch[i].ID)
		at[n] = append(at[n], i)
	}
	return s.forEach(at, len(batch), func(n int) ([]error, error) {
		part := make([]Envelope, len(at[n]))
		for i, place := range at[n] {
			part[i] = batch[place]
		}
		return s.shards[n].Enqueue(ctx, part)
	})
}

// forEach runs f, at once, for each shard that has items, and puts the errors of
// items in their places. A shard that fails as a whole fails all of its items.
func (s *spread) forEach(at [][]int, total int, f func(n int) ([]error, error)) ([]error, error) {
	errs := make([]error, total)
	s.all(func(n int) error {
		if len(at[n]) == 0 {
			return nil
		}
		some, err := f(n)
		for i, place := range at[n] {
			switch {
			case err != nil:
				errs[place] = err
			case some != nil:
				errs[place] = some[i]
			}
		}
		return nil
	})
	return errs, nil
}

// all runs f for all shards at once.
func (s *spread) all(f func(n int) error) []error {
	errs := make([]error, len(s.shards))
	var wg sync.WaitGroup
	for n := range s.shards {
		wg.Go(func() { errs[n] = f(n) })
	}
	wg.Wait()
	return errs
}

// Close implements Backend. It sends what shards did not take before.
func (s *spread) Close(ctx context.Context) error {
	return s.life.Close(ctx, func(ctx context.Context) error {
		return errors.Join(s.all(func(n int) error {
			if owed := s.takeOwed(n); len(owed) > 0 {
				_, _ = s.shards[n].Claim(ctx, ClaimRequest{Consumer: s.name, Lease: minLease, Done: owed})
			}
			return s.shards[n].Close(ctx)
		})...)
	})
}
