package cacheredis

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediskey"
)

// scanCount is about how many keys one SCAN looks at.
const scanCount = 500

// Keys implements cache.Lister. It looks at all keys of the servers, by SCAN.
func (s *Store) Keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := s.scan(ctx, prefix, func(b *bucket, names []string) (bool, error) {
			answers, err := b.byScript(ctx, names)
			if err != nil {
				return false, err
			}
			for i, a := range answers {
				if a.found && a.entry.Fresh() && !a.entry.Absent && !yield(names[i], nil) {
					return false, nil
				}
			}
			return true, nil
		})
		if err != nil {
			yield("", err)
		}
	}
}

// Purge implements cache.Lister.
func (s *Store) Purge(ctx context.Context, prefix string) error {
	return s.scan(ctx, prefix, func(b *bucket, names []string) (bool, error) {
		answers, err := b.byScript(ctx, names)
		if err != nil {
			return false, err
		}
		var gone []string
		for i, a := range answers {
			if !a.found {
				gone = append(gone, names[i])
			}
		}
		if len(gone) == 0 {
			return true, nil
		}
		_, err = b.remove(ctx, gone)
		return true, err
	})
}

// scan calls f with the names that begin with prefix, some at a time, until f
// returns false.
func (s *Store) scan(ctx context.Context, prefix string, f func(b *bucket, names []string) (bool, error)) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for _, b := range s.buckets {
		if more, err := s.scanBucket(ctx, b, prefix, f); err != nil || !more {
			return err
		}
	}
	return nil
}

func (s *Store) scanBucket(
	ctx context.Context, b *bucket, prefix string, f func(b *bucket, names []string) (bool, error),
) (more bool, err error) {
	master, err := s.master(ctx, b)
	if err != nil {
		return false, err
	}
	pattern := escape(b.start) + escape(encodePrefix(prefix)) + "*"
	for cursor := uint64(0); ; {
		var keys []string
		err := s.read(ctx, func(ctx context.Context) (err error) {
			keys, cursor, err = master.Scan(ctx, cursor, pattern, scanCount).Result()
			return err
		})
		if err != nil {
			return false, err
		}
		if names := namesOf(b, keys); len(names) > 0 {
			if more, err := f(b, names); err != nil || !more {
				return false, err
			}
		}
		if cursor == 0 {
			return true, nil
		}
	}
}

// namesOf leaves out keys that no Cache wrote, and those that SCAN tells twice.
func namesOf(b *bucket, keys []string) (names []string) {
	for _, key := range keys {
		if name, err := rediskey.Decode(strings.TrimPrefix(key, b.start)); err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// master is a client of the server that has the bucket.
func (s *Store) master(ctx context.Context, b *bucket) (redis.Cmdable, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.client, nil
	}
	var node *redis.Client
	err := s.read(ctx, func(ctx context.Context) (err error) {
		node, err = cluster.MasterForKey(ctx, b.meta)
		return err
	})
	return node, err
}

// encodePrefix is encode for the beginning of a name.
func encodePrefix(prefix string) string {
	if prefix == "" {
		return ""
	}
	return encode(prefix)
}

// escape makes a pattern that matches s alone.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(s)
}
