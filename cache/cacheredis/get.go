package cacheredis

import (
	"context"
	"errors"
	"slices"
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
	answers, err := b.getMany(ctx, names)
	for i, c := range calls {
		switch {
		case err != nil:
			c.err = err
		case !answers[i].found:
			c.err = cache.ErrNotFound
		default:
			c.entry = answers[i].entry
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
		for row := range slices.Chunk(places, maxGets) {
			names := make([]string, len(row))
			for i, place := range row {
				names[i] = keys[place]
			}
			answers, err := b.getMany(ctx, names)
			if err != nil {
				return nil, err
			}
			for i, a := range answers {
				if a.found {
					all[names[i]] = a.entry
				}
			}
		}
	}
	return all, nil
}

// answer is what there is under one name.
type answer struct {
	entry cache.Entry
	found bool
}

// getMany reads entries in one round trip: plainly where the node knows what makes
// an entry count, else, or for those of which it does not, by the script.
func (b *bucket) getMany(ctx context.Context, names []string) ([]answer, error) {
	g := b.trusted()
	if g == "" {
		return b.byScript(ctx, names)
	}
	answers := make([]answer, len(names))
	doubtful, err := b.plain(ctx, names, g, answers)
	if err != nil || len(doubtful) == 0 {
		return answers, err
	}
	rest := make([]string, len(doubtful))
	for i, place := range doubtful {
		rest[i] = names[place]
	}
	judged, err := b.byScript(ctx, rest)
	if err != nil {
		return nil, err
	}
	for i, place := range doubtful {
		answers[place] = judged[i]
	}
	return answers, nil
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

// plain reads by GET or MGET. It fills in what counts and returns the places of
// entries that it could not judge.
func (b *bucket) plain(ctx context.Context, names []string, g string, answers []answer) (doubtful []int, err error) {
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
			doubtful = append(doubtful, i)
			continue
		}
		answers[i] = answer{s.entry, true}
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
func (b *bucket) byScript(ctx context.Context, names []string) ([]answer, error) {
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
		return nil, err
	}
	if len(reply) != len(keys) {
		return nil, errReply
	}
	now, err := strconv.ParseInt(reply[0], 10, 64)
	if err != nil {
		return nil, errReply
	}
	b.sync(asked, now)
	answers := make([]answer, len(names))
	for i := range names {
		if s, ok := parse(reply[2+i], now); ok {
			b.tags.learn(b.line, mark, &s)
			answers[i] = answer{s.entry, true}
		}
	}
	return answers, nil
}

var errReply = errors.New("reply of a script is not in the form of this package")
