package cacheredis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/lifecycle"
	"github.com/cohort-go/cohort/internal/redisconn"
)

var (
	_ cache.Store          = (*Store)(nil)
	_ cache.Fed            = (*Store)(nil)
	_ cache.Leaser         = (*Store)(nil)
	_ cache.TagInvalidator = (*Store)(nil)
	_ cache.Lister         = (*Store)(nil)
	_ cache.Toucher        = (*Store)(nil)
)

// Store is a cache.Store in Redis. Make one per process and client: all its
// caches share its connections.
type Store struct {
	client  redis.UniversalClient
	opts    Options
	scripts scripts
	feed    *cache.Feed
	buckets []*bucket
	group   *lifecycle.Group
	breaker breaker
	repeats *repeater
}

// New returns a Store that borrows client: Close of the Store leaves it open. It
// begins to follow the invalidations in the background; Ready waits for that.
// Clients that read from replicas, and *redis.Ring, are refused.
func New(client redis.UniversalClient, opts Options) (*Store, error) {
	if err := redisconn.Check(client); err != nil {
		return nil, fmt.Errorf("cacheredis: %w", err)
	}
	opts, err := opts.withDefaults(client)
	if err != nil {
		return nil, fmt.Errorf("cacheredis: %w", err)
	}
	if !redisconn.HonoursDeadlines(client) {
		opts.Logger.Warn("the client has no ContextTimeoutEnabled: calls can outlive their ctx by its ReadTimeout")
	}
	s := &Store{
		client: client, opts: opts, scripts: newScripts(),
		feed:  cache.NewFeed(opts.Buckets),
		group: lifecycle.New(cache.ErrClosed),
	}
	s.repeats = newRepeater(s)
	for i, name := range bucketNames(opts.Buckets) {
		b, err := newBucket(s, name, s.feed.Lines()[i])
		if err != nil {
			_ = s.Close(context.Background())
			return nil, fmt.Errorf("cacheredis: %w", err)
		}
		s.buckets = append(s.buckets, b)
	}
	s.feed.Follow(s.changed, s.reset)
	for _, b := range s.buckets {
		s.group.Go("listen", b.listen)
	}
	s.group.Go("prove", s.prove)
	return s, nil
}

// Feed implements cache.Fed.
func (s *Store) Feed() *cache.Feed { return s.feed }

// Ready waits until the node follows the invalidations, or reports why ctx ended
// before.
func (s *Store) Ready(ctx context.Context) error {
	for _, b := range s.buckets {
		if err := b.reader.Start(ctx); err != nil {
			return fmt.Errorf("cacheredis: %w", err)
		}
		for !b.line.Fresh(time.Second) {
			b.reader.Audit()
			select {
			case <-ctx.Done():
				return fmt.Errorf("cacheredis: %w", context.Cause(ctx))
			case <-s.group.Context().Done():
				return cache.ErrClosed
			case <-time.After(2 * time.Millisecond):
			}
		}
	}
	return nil
}

// Close implements cache.Store. It ends the Store's own connections.
func (s *Store) Close(ctx context.Context) error {
	return s.group.Close(ctx, func(ctx context.Context) error {
		var errs []error
		for _, b := range s.buckets {
			errs = append(errs, b.reader.Close(ctx))
		}
		return errors.Join(errs...)
	})
}

func (s *Store) changed(l *cache.Line, c *cache.Change) { s.buckets[l.Index()].tags.forget(c.Tags) }
func (s *Store) reset(l *cache.Line)                    { s.buckets[l.Index()].tags.clear() }

func (s *Store) bucket(key string) *bucket { return s.buckets[s.feed.Line(key).Index()] }

// byBucket sorts keys by bucket; the numbers are positions in keys.
func (s *Store) byBucket(n int, key func(i int) string) map[*bucket][]int {
	sorted := make(map[*bucket][]int, 1)
	for i := range n {
		b := s.bucket(key(i))
		sorted[b] = append(sorted[b], i)
	}
	return sorted
}

// enter begins an operation: it reports a closed Store, a ctx that ended, and a
// server that is known to be away.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	leave, err = s.group.Enter()
	if err != nil {
		return nil, err
	}
	if err := s.refusal(); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// refusal reports why no call can be made now, or nil.
func (s *Store) refusal() error {
	if s.buckets[0].mismatch.Load() {
		return fmt.Errorf("%w: another number of buckets than %d", cache.ErrMismatch, s.opts.Buckets)
	}
	if s.breaker.open() {
		return cache.ErrUnavailable
	}
	return nil
}
