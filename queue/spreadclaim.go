package queue

import (
	"context"
	"errors"
	"slices"
	"time"
)

// The receipt of a spread is a shard's own behind the number of the shard.

func outer(n int, r Receipt) Receipt { return Receipt([]byte{byte(n)}) + r }

// inner splits receipts by shard and says where in list each of them stood. Those
// of no shard have the place of the first: it does not know them.
func (s *spread) inner(list []Receipt) (parts [][]Receipt, at [][]int) {
	parts, at = make([][]Receipt, len(s.shards)), make([][]int, len(s.shards))
	for i, r := range list {
		n, own := 0, r
		if len(r) > 0 && int(r[0]) < len(s.shards) {
			n, own = int(r[0]), r[1:]
		}
		parts[n], at[n] = append(parts[n], own), append(at[n], i)
	}
	return parts, at
}

// Claim implements Backend. A shard that fails costs the others nothing: what it
// was to acknowledge goes with a later claim.
func (s *spread) Claim(ctx context.Context, req ClaimRequest) (Claim, error) {
	parts, _ := s.inner(req.Done)
	c := &spreadClaim{spread: s, ctx: ctx, req: req, got: make([]Claim, len(s.shards)), errs: make([]error, len(s.shards))}
	s.mu.Lock()
	c.turn = s.turn
	s.turn = (s.turn + 1) % len(s.shards)
	s.mu.Unlock()
	if req.Max > 0 && req.Max < len(s.shards) {
		left := req.Max
		for i := range s.shards {
			n := (c.turn + i) % len(s.shards)
			c.ask(n, left, left, parts[n])
			left -= len(c.got[n].Messages)
		}
	} else {
		s.all(func(n int) error {
			c.ask(n, c.share(n, req.Max), c.share(n, req.Slots), parts[n])
			return nil
		})
	}
	return c.result(parts)
}

func (s *spread) takeOwed(n int) []Receipt {
	s.mu.Lock()
	defer s.mu.Unlock()
	owed := s.owed[n][:min(len(s.owed[n]), MaxBatch)]
	s.owed[n] = slices.Clone(s.owed[n][len(owed):])
	return owed
}

func (s *spread) owe(n int, list []Receipt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed[n] = append(s.owed[n], list...)
}

// spreadClaim is one Claim on its way.
type spreadClaim struct {
	*spread
	ctx  context.Context
	req  ClaimRequest
	turn int
	got  []Claim // by shard
	errs []error
}

// share is a shard's part of total: the first that are asked take what is over.
func (c *spreadClaim) share(n, total int) int {
	place, count := (n-c.turn+len(c.shards))%len(c.shards), len(c.shards)
	if place < total%count {
		return total/count + 1
	}
	return total / count
}

// ask claims up to limit messages from one shard. Only the shard whose turn it is
// may give a message that must run alone: there must not be two.
func (c *spreadClaim) ask(n, limit, slots int, done []Receipt) {
	req := c.req
	req.Max, req.Slots = limit, min(slots, req.Slots)
	req.MaxInFlight, req.Rate = 0, Rate{}
	if n != c.turn {
		req.Held++
	}
	if owed := c.takeOwed(n); len(owed)+len(done) <= MaxBatch {
		done = append(owed, done...)
	} else {
		c.owe(n, owed)
	}
	req.Done = done
	c.got[n], c.errs[n] = c.shards[n].Claim(c.ctx, req)
	if c.errs[n] != nil {
		c.owe(n, done)
	}
}

// result joins what the shards answered. It is an error only if all of them
// failed; then the caller keeps its acknowledgements.
func (c *spreadClaim) result(parts [][]Receipt) (Claim, error) {
	if !slices.ContainsFunc(c.errs, func(err error) bool { return err == nil }) {
		c.disown(parts)
		return Claim{}, errors.Join(c.errs...)
	}
	all := Claim{Next: -1, Paused: true}
	for n, got := range c.got {
		if c.errs[n] != nil {
			continue
		}
		for _, m := range got.Messages {
			m.Receipt = outer(n, m.Receipt)
			all.Messages = append(all.Messages, m)
		}
		for _, r := range got.Lost {
			all.Lost = append(all.Lost, outer(n, r))
		}
		if got.Next >= 0 && (all.Next < 0 || got.Next < all.Next) {
			all.Next = got.Next
		}
		all.Paused = all.Paused && got.Paused
		if got.SoloWaiting {
			all.SoloWaiting = true
			c.next(n)
		}
	}
	return all, nil
}

// next makes shard n the one that is asked first.
func (s *spread) next(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn = n
}

// disown takes back what the caller will send again.
func (c *spreadClaim) disown(parts [][]Receipt) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, part := range parts {
		c.owed[n] = slices.DeleteFunc(c.owed[n], func(r Receipt) bool { return slices.Contains(part, r) })
	}
}

// Extend implements Backend.
func (s *spread) Extend(ctx context.Context, receipts []Receipt, d time.Duration) ([]error, error) {
	parts, at := s.inner(receipts)
	return s.forEach(at, len(receipts), func(n int) ([]error, error) { return s.shards[n].Extend(ctx, parts[n], d) })
}

// Settle implements Backend. If a shard fails the call comes again, and those that
// were settled are known then.
func (s *spread) Settle(ctx context.Context, batch []Settlement) ([]error, error) {
	var list []Receipt
	for i := range batch {
		list = append(list, batch[i].Receipt)
	}
	parts, at := s.inner(list)
	errs := make([]error, len(batch))
	settled := make([]bool, len(batch))
	failed := errors.Join(s.all(func(n int) error {
		var items []Settlement
		var places []int
		for i, place := range at[n] {
			if s.wasEnded(list[place]) {
				settled[place] = true
				continue
			}
			item := batch[place]
			item.Receipt = parts[n][i]
			items, places = append(items, item), append(places, place)
		}
		if len(items) == 0 {
			return nil
		}
		some, err := s.shards[n].Settle(ctx, items)
		for i, place := range places {
			settled[place] = err == nil
			if err == nil && some != nil {
				errs[place] = some[i]
			}
		}
		return err
	})...)
	s.remember(list, settled, failed != nil)
	if failed != nil {
		return nil, failed
	}
	return errs, nil
}

func (s *spread) wasEnded(r Receipt) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ended := s.ended[r]
	return ended
}

// remember keeps what was settled in a call that failed, until it comes again.
func (s *spread) remember(list []Receipt, settled []bool, failed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.ended) > 10*MaxBatch { // their callers gave up
		clear(s.ended)
	}
	for i, r := range list {
		switch {
		case !failed:
			delete(s.ended, r)
		case settled[i]:
			s.ended[r] = struct{}{}
		}
	}
}

// SetProgress implements RecordBackend.
func (s *spread) SetProgress(ctx context.Context, r Receipt, progress []byte) error {
	parts, _ := s.inner([]Receipt{r})
	for n, part := range parts {
		if len(part) > 0 {
			return s.shards[n].SetProgress(ctx, part[0], progress)
		}
	}
	return ErrLeaseLost
}
