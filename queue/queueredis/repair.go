package queueredis

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
)

// ErrAtWork reports Repair of a queue that is not paused, or whose messages are
// leased.
var ErrAtWork = errors.New("queue is at work: pause it and wait for what is in flight")

// scanned is about how many members one page of a scan has.
const scanned = 1000

// Repairs counts what Repair has mended.
type Repairs struct {
	// Restored are messages that stood nowhere and are ready again, with the
	// attempts they had; those that were cancelled are removed.
	Restored int
	// Dropped are places, errors, progress and unique keys of messages that are
	// gone.
	Dropped int
	// Opened are the order keys ([queue.Message.Key]) whose holder was gone.
	Opened int
}

// Repair mends what no operation of a queue leaves behind, but an eviction, a
// failover or somebody's hands may: messages that stand nowhere, and places whose
// message is gone. It works only while the queue is paused and nothing is leased,
// else it reports [ErrAtWork] and what it had mended so far; Enqueue may go on.
// Name and opts are those of [New].
//
// It reads the whole queue and holds all IDs in memory. Besides what a Queue needs it
// takes the rights to HSCAN, LPOS and TYPE.
func Repair(ctx context.Context, rdb redis.UniversalClient, name string, opts Options) (Repairs, error) {
	stores, err := newStores(rdb, name, opts)
	if err != nil {
		return Repairs{}, err
	}
	var total Repairs
	for _, s := range stores {
		r := &repair{store: s, places: make(map[string]place), keys: make(map[string]bool)}
		err := r.run(ctx)
		total.Restored += r.Restored
		total.Dropped += r.Dropped
		total.Opened += r.Opened
		if err != nil {
			return total, fmt.Errorf("queueredis: repair %s: %w", name, s.explain(err))
		}
	}
	return total, nil
}

// repair is one Repair of one shard.
type repair struct {
	*store
	Repairs
	ids    []string         // of the messages
	places map[string]place // by id
	keys   map[string]bool  // that messages wait for, while no holder is known
}

// place is a member in one of the keys.
type place struct {
	key    int
	member string
}

// scanOrder are the keys of members. While a queue is paused messages move from
// an earlier one to a later one only, and the ids are read before them all, so
// that the scan misses none of those that stand somewhere.
func scanOrder() []int { return []int{7, 8, 9, 15, 5, 1, 2, 3, 4} }

func (r *repair) run(ctx context.Context) error {
	if err := r.mend(ctx, new(int), "r", ""); err != nil { // is it at work?
		return err
	}
	if err := r.fields(ctx, messagesKey, func(id, _ string) error { r.ids = append(r.ids, id); return nil }); err != nil {
		return err
	}
	for _, key := range scanOrder() {
		if err := r.members(ctx, key); err != nil {
			return err
		}
	}
	return r.compare(ctx)
}

// compare mends where ids and places differ.
func (r *repair) compare(ctx context.Context) error {
	known := make(map[string]bool, len(r.ids))
	for _, id := range r.ids {
		known[id] = true
		if _, ok := r.places[id]; ok {
			continue
		}
		if err := r.mend(ctx, &r.Restored, "i", id); err != nil {
			return err
		}
	}
	for id, p := range r.places {
		if known[id] {
			continue // one that was stored meanwhile is not, and the script sees that it is there
		}
		if err := r.mend(ctx, &r.Dropped, "p", p.key+1, p.member); err != nil {
			return err
		}
	}
	for _, key := range []int{errorsKey, recordsKey} {
		if err := r.fields(ctx, key, func(id, _ string) error {
			if known[id] {
				return nil
			}
			return r.mend(ctx, &r.Dropped, "r", id)
		}); err != nil {
			return err
		}
	}
	if err := r.fields(ctx, holdersKey, func(key, id string) error {
		r.keys[key] = !known[id]
		return nil
	}); err != nil {
		return err
	}
	for key, closed := range r.keys {
		if !closed {
			continue
		}
		if err := r.mend(ctx, &r.Opened, "o", key); err != nil {
			return err
		}
	}
	return r.fields(ctx, uniquesKey, func(key, holder string) error {
		if known[holder[:min(len(holder), 16)]] {
			return nil
		}
		return r.mend(ctx, &r.Dropped, "u", key)
	})
}

// mend asks the script to mend one thing and counts it.
func (r *repair) mend(ctx context.Context, count *int, args ...any) error {
	reply, err := r.store.run(ctx, r.scripts.repair, args...)
	if err != nil {
		return err
	}
	n, ok := reply.(int64)
	switch {
	case !ok:
		return errReply(reply)
	case n < 0:
		return ErrAtWork
	}
	*count += int(n)
	return nil
}

// fields calls f for each field of a hash, perhaps more than once.
func (r *repair) fields(ctx context.Context, key int, f func(field, value string) error) error {
	return r.pages(ctx, func(ctx context.Context, cursor uint64) ([]string, uint64, error) {
		return r.rdb.HScan(ctx, r.store.keys[key], cursor, "", scanned).Result()
	}, f)
}

// members notes the places of a list or a set.
func (r *repair) members(ctx context.Context, key int) error {
	note := func(member, _ string) error {
		from := 0
		if key == waitersKey && member != "" {
			from = int(member[0]) + 7
		}
		if len(member) < from+memberSize {
			return nil
		}
		r.places[member[from:from+16]] = place{key, member}
		if key == waitersKey {
			r.keys[member[1:1+int(member[0])]] = true
		}
		return nil
	}
	if key <= soloKey {
		return r.list(ctx, key, note)
	}
	return r.pages(ctx, func(ctx context.Context, cursor uint64) ([]string, uint64, error) {
		return r.rdb.ZScan(ctx, r.store.keys[key], cursor, "", scanned).Result()
	}, note)
}

// pages walks a scan.
func (r *repair) pages(
	ctx context.Context, scan func(context.Context, uint64) ([]string, uint64, error), f func(a, b string) error,
) error {
	for cursor := uint64(0); ; {
		var page []string
		err := redisconn.Retry(ctx, r.rdb, r.opts.OpTimeout, func(ctx context.Context) error {
			found, next, err := scan(ctx, cursor)
			if err == nil {
				page, cursor = found, next
			}
			return err
		})
		if err != nil {
			return err
		}
		for i := 0; i+1 < len(page); i += 2 {
			if err := f(page[i], page[i+1]); err != nil {
				return err
			}
		}
		if cursor == 0 {
			return nil
		}
	}
}

// list walks a list, of which nothing is taken while the queue is paused but by
// Cancel and Purge; what a page then misses the script finds.
func (r *repair) list(ctx context.Context, key int, f func(a, b string) error) error {
	for from := int64(0); ; from += scanned {
		var page []string
		err := redisconn.Retry(ctx, r.rdb, r.opts.OpTimeout, func(ctx context.Context) (err error) {
			page, err = r.rdb.LRange(ctx, r.store.keys[key], from, from+scanned-1).Result()
			return err
		})
		if err != nil {
			return err
		}
		for _, member := range page {
			if err := f(member, ""); err != nil {
				return err
			}
		}
		if len(page) < scanned {
			return nil
		}
	}
}
