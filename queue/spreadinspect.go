package queue

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"
)

// Stats implements InspectBackend.
func (s *spread) Stats(ctx context.Context) (Stats, error) {
	parts, err := s.stats(ctx)
	if err != nil {
		return Stats{}, err
	}
	sum := parts[0]
	for _, st := range parts[1:] {
		for i := range st.Ready {
			sum.Ready[i] += st.Ready[i]
		}
		sum.Waiting += st.Waiting
		sum.InFlight += st.InFlight
		sum.Delayed += st.Delayed
		sum.Dead += st.Dead
		sum.Finished += st.Finished
		sum.OldestReady = max(sum.OldestReady, st.OldestReady)
		sum.PausedUntil = later(sum.PausedUntil, st.PausedUntil)
		sum.Accounts = sum.plus(st.Accounts)
	}
	return sum, nil
}

func (s *spread) stats(ctx context.Context) ([]Stats, error) {
	parts := make([]Stats, len(s.shards))
	errs := s.all(func(n int) (err error) {
		parts[n], err = s.shards[n].Stats(ctx)
		return err
	})
	return parts, errors.Join(errs...)
}

// plus adds accounts.
func (a Accounts) plus(b Accounts) Accounts {
	return Accounts{
		Enqueued: a.Enqueued + b.Enqueued, Done: a.Done + b.Done, Discarded: a.Discarded + b.Discarded,
		Expired: a.Expired + b.Expired, Purged: a.Purged + b.Purged, Cancelled: a.Cancelled + b.Cancelled,
		Trimmed: a.Trimmed + b.Trimmed, Retried: a.Retried + b.Retried, Died: a.Died + b.Died,
		Redriven: a.Redriven + b.Redriven, Lapsed: a.Lapsed + b.Lapsed,
	}
}

// count is how many messages of a state there are.
func (s *Stats) count(state State) int {
	switch state {
	case StateReady:
		return s.ReadyTotal()
	case StateWaiting:
		return s.Waiting
	case StateInFlight:
		return s.InFlight
	case StateDelayed:
		return s.Delayed
	case StateDead:
		return s.Dead
	case StateFinished:
		return s.Finished
	}
	return 0
}

// List implements InspectBackend: the shards one after the other.
func (s *spread) List(ctx context.Context, req ListRequest) (Page, error) {
	parts, err := s.stats(ctx)
	if err != nil {
		return Page{}, err
	}
	var page Page
	for n, st := range parts {
		count := st.count(req.State)
		if req.Offset >= count {
			req.Offset -= count
			continue
		}
		if page.More = req.Limit == 0; page.More {
			break
		}
		part, err := s.shards[n].List(ctx, req)
		if err != nil {
			return page, err
		}
		page.Messages = append(page.Messages, part.Messages...)
		req.Offset, req.Limit = 0, req.Limit-len(part.Messages)
		if page.More = part.More; page.More {
			break
		}
	}
	return page, nil
}

// Get implements InspectBackend.
func (s *spread) Get(ctx context.Context, id ID) (Info, error) {
	return s.shards[s.home(id)].Get(ctx, id)
}

// Consumers implements InspectBackend.
func (s *spread) Consumers(ctx context.Context) ([]ConsumerInfo, error) {
	parts := make([][]ConsumerInfo, len(s.shards))
	errs := s.all(func(n int) (err error) {
		parts[n], err = s.shards[n].Consumers(ctx)
		return err
	})
	seen := make(map[string]time.Time)
	for _, c := range slices.Concat(parts...) {
		if !isSignal(c.Name) {
			seen[c.Name] = later(seen[c.Name], c.Seen)
		}
	}
	list := make([]ConsumerInfo, 0, len(seen))
	for name, at := range seen {
		list = append(list, ConsumerInfo{Name: name, Seen: at})
	}
	slices.SortFunc(list, func(a, b ConsumerInfo) int { return cmp.Compare(a.Name, b.Name) })
	return list, errors.Join(errs...)
}

// Cancel implements ControlBackend.
func (s *spread) Cancel(ctx context.Context, id ID) error {
	return s.shards[s.home(id)].Cancel(ctx, id)
}

// Redrive implements ControlBackend.
func (s *spread) Redrive(ctx context.Context, ids []ID) ([]error, error) {
	at := make([][]int, len(s.shards))
	for i, id := range ids {
		n := s.home(id)
		at[n] = append(at[n], i)
	}
	return s.forEach(at, len(ids), func(n int) ([]error, error) {
		part := make([]ID, len(at[n]))
		for i, place := range at[n] {
			part[i] = ids[place]
		}
		return s.shards[n].Redrive(ctx, part)
	})
}

// Purge implements ControlBackend.
func (s *spread) Purge(ctx context.Context, state State, limit int) (total int, err error) {
	for _, b := range s.shards {
		if total == limit {
			break
		}
		n, err := b.Purge(ctx, state, limit-total)
		total += n
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Pause implements ControlBackend.
func (s *spread) Pause(ctx context.Context, until time.Time) error {
	return errors.Join(s.all(func(n int) error { return s.shards[n].Pause(ctx, until) })...)
}
