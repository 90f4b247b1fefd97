package cacheredis

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
)

// getCall is one read that may share its round trip.
type getCall struct {
	name  string
	done  chan struct{}
	entry cache.Entry
	err   error
}

func (c *getCall) key() string          { return "" }
func (c *getCall) ready() chan struct{} { return c.done }
func (c *getCall) fail(err error)       { c.err = err }

// Get implements cache.Store. Concurrent calls share round trips.
func (s *Store) Get(ctx context.Context, key string) (cache.Entry, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return cache.Entry{}, err
	}
	defer leave()
	if err := checkKey(key); err != nil {
		return cache.Entry{}, err
	}
	c := &getCall{name: key, done: make(chan struct{})}
	if _, err := s.bucket(key).gets.do(ctx, c); err != nil {
		return cache.Entry{}, err
	}
	return c.entry, c.err
}

func (b *bucket) sendGets(ctx context.Context, calls []*getCall) {
	names := make([]string, len(calls))
	for i, c := range calls {
		names[i] = c.name
	}
	entries, err := b.getMany(ctx, names)
	for _, c := range calls {
		e, ok := entries[c.name]
		switch {
		case err != nil:
			c.err = err
		case !ok:
			c.err = cache.ErrNotFound
		default:
			c.entry = e
		}
	}
}

// GetMany implements cache.Store.
func (s *Store) GetMany(ctx context.Context, keys []string) (map[string]cache.Entry, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return nil, err
		}
	}
	all := make(map[string]cache.Entry, len(keys))
	for b, places := range s.byBucket(len(keys), func(i int) string { return keys[i] }) {
		for len(places) > 0 {
			n := min(len(places), maxGets)
			names := make([]string, n)
			for i, place := range places[:n] {
				names[i] = keys[place]
			}
			found, err := b.getMany(ctx, names)
			if err != nil {
				return nil, err
			}
			maps.Copy(all, found)
			places = places[n:]
		}
	}
	return all, nil
}

// getMany reads entries in one round trip: plainly where the node knows what makes
// an entry count, else, or for those of which it does not, by the script.
func (b *bucket) getMany(ctx context.Context, names []string) (map[string]cache.Entry, error) {
	found := make(map[string]cache.Entry, len(names))
	doubtful := names
	if g := b.trusted(); g != "" {
		var err error
		if doubtful, err = b.plain(ctx, names, g, found); err != nil {
			return nil, err
		}
	}
	if len(doubtful) == 0 {
		return found, nil
	}
	return found, b.byScript(ctx, doubtful, found)
}

// trusted returns the generation with which entries count, or "" if this node
// cannot judge entries by itself now.
func (b *bucket) trusted() string {
	bound := b.s.feed.Bound()
	g := b.settled.Load()
	if g == nil || bound == 0 || !b.line.Fresh(bound) {
		return ""
	}
	return g.value
}

// plain reads by GET or MGET. It adds what counts and returns the names whose
// entries it could not judge.
func (b *bucket) plain(
	ctx context.Context, names []string, g string, found map[string]cache.Entry,
) (doubtful []string, err error) {
	raws, err := b.fetch(ctx, names)
	if err != nil {
		return nil, err
	}
	now := b.now()
	for i, raw := range raws {
		if raw == "" {
			continue
		}
		s, ok := parse(raw, now)
		if !ok || s.generation != g || !b.tags.holds(&s) {
			doubtful = append(doubtful, names[i])
			continue
		}
		found[names[i]] = s.entry
	}
	return doubtful, nil
}

// fetch reads raw values; "" is none.
func (b *bucket) fetch(ctx context.Context, names []string) (raws []string, err error) {
	raws = make([]string, len(names))
	err = b.s.read(ctx, func(ctx context.Context) error {
		if len(names) == 1 {
			raws[0], err = b.s.client.Get(ctx, b.entryKey(names[0])).Result()
			if errors.Is(err, redis.Nil) {
				return nil
			}
			return err
		}
		keys := make([]string, len(names))
		for i, name := range names {
			keys[i] = b.entryKey(name)
		}
		values, err := b.s.client.MGet(ctx, keys...).Result()
		for i, v := range values {
			raws[i], _ = v.(string)
		}
		return err
	})
	return raws, err
}

// byScript reads entries together with their tags and the generation.
func (b *bucket) byScript(ctx context.Context, names []string, found map[string]cache.Entry) error {
	keys := make([]string, 0, 2+len(names))
	keys = append(keys, b.meta, b.tagKey)
	for _, name := range names {
		keys = append(keys, b.entryKey(name))
	}
	var reply []string
	mark := b.line.Mark()
	asked := time.Now()
	err := b.s.read(ctx, func(ctx context.Context) (err error) {
		asked = time.Now()
		reply, err = b.s.scripts.read.Run(ctx, b.s.client, keys).StringSlice()
		return err
	})
	if err != nil {
		return err
	}
	if len(reply) != len(keys) {
		return errReply
	}
	now, err := strconv.ParseInt(reply[0], 10, 64)
	if err != nil {
		return errReply
	}
	b.sync(asked, now)
	for i, name := range names {
		if s, ok := parse(reply[2+i], now); ok {
			b.tags.learn(b.line, mark, &s)
			found[name] = s.entry
		}
	}
	return nil
}

var errReply = errors.New("reply of a script is not in the form of this package")
