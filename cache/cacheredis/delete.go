package cacheredis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// Delete implements cache.Store.
func (s *Store) Delete(ctx context.Context, keys ...string) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return 0, err
		}
	}
	var count int
	var errs []error
	for b, places := range s.byBucket(len(keys), func(i int) string { return keys[i] }) {
		for len(places) > 0 {
			n := min(len(places), maxGets)
			names := make([]string, n)
			for i, place := range places[:n] {
				names[i] = keys[place]
			}
			deleted, err := b.remove(ctx, names)
			if isUncertain(err) {
				s.repeats.add(names...)
			}
			errs = append(errs, err)
			count += deleted
			places = places[n:]
		}
	}
	return count, errors.Join(errs...)
}

// remove deletes entries in one step.
func (b *bucket) remove(ctx context.Context, names []string) (count int, err error) {
	keys := append([]string{b.meta, b.tagKey}, b.stream.Keys()...)
	args := b.stream.Args()
	for _, name := range names {
		keys = append(keys, b.entryKey(name), b.leaseKey(name))
		args = append(args, part(wrote, name))
	}
	var reply []any
	err = b.s.write(ctx, func(ctx context.Context) (err error) {
		reply, err = b.s.scripts.remove.Run(ctx, b.s.client, keys, args...).Slice()
		return err
	})
	if err != nil {
		return 0, err
	}
	if len(reply) != 2 {
		return 0, errReply
	}
	deleted, _ := reply[0].(int64)
	text, _ := reply[1].(string)
	ordinal, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, errReply
	}
	b.line.Wrote(&cache.Change{Ordinal: ordinal, Keys: names})
	return int(deleted), nil
}

// InvalidateTags implements cache.TagInvalidator. Each bucket has its own copy of
// the tags; after an error some may be invalidated, and all are in the background.
func (s *Store) InvalidateTags(ctx context.Context, tags ...string) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for _, t := range tags {
		if t == "" || len(t) > cache.MaxStoreTag {
			return fmt.Errorf("tag has %d bytes, want 1 to %d", len(t), cache.MaxStoreTag)
		}
	}
	if len(tags) == 0 {
		return nil
	}
	for i, b := range s.buckets {
		err := b.invalidate(ctx, tags)
		if err == nil {
			continue
		}
		if i > 0 && !isUncertain(err) {
			err = uncertain(err) // some buckets have done it
		}
		if isUncertain(err) {
			s.repeats.addTags(tags...)
		}
		return err
	}
	return nil
}

func (b *bucket) invalidate(ctx context.Context, tags []string) error {
	keys := append([]string{b.meta, b.tagKey, b.ends}, b.stream.Keys()...)
	var message []byte
	for _, t := range tags {
		message = append(message, part(invalidated, t)...)
	}
	args := append(b.stream.Args(), message)
	for _, t := range tags {
		args = append(args, t)
	}
	var ordinal uint64
	err := b.s.write(ctx, func(ctx context.Context) (err error) {
		ordinal, err = b.s.scripts.invalidate.Run(ctx, b.s.client, keys, args...).Uint64()
		return err
	})
	if err != nil {
		return err
	}
	b.line.Wrote(&cache.Change{Ordinal: ordinal, Tags: tags})
	return nil
}

// Touch implements cache.Toucher.
func (s *Store) Touch(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return false, err
	}
	defer leave()
	if err := checkKey(key); err != nil {
		return false, err
	}
	if ttl < time.Millisecond {
		return false, fmt.Errorf("ttl is %v, want at least 1ms, or Forever", ttl)
	}
	b := s.bucket(key)
	keys := append([]string{b.meta, b.tagKey, b.ends}, b.stream.Keys()...)
	args := append(b.stream.Args(), milliseconds(ttl), part(wrote, key))
	var text string
	err = s.write(ctx, func(ctx context.Context) (err error) {
		text, err = s.scripts.touch.Run(ctx, s.client, append(keys, b.entryKey(key)), args...).Text()
		return err
	})
	if err != nil || text == "" {
		return false, err
	}
	ordinal, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return false, errReply
	}
	b.line.Wrote(&cache.Change{Ordinal: ordinal, Keys: []string{key}})
	return true, nil
}

func uncertain(err error) error { return fmt.Errorf("%w: %w", cache.ErrUncertain, err) }

func isUncertain(err error) bool { return errors.Is(err, cache.ErrUncertain) }
