package cacheredis

import (
	"context"
	"strconv"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// Acquire implements cache.Leaser.
func (s *Store) Acquire(ctx context.Context, ttl time.Duration, force bool, keys ...string) ([]cache.Grant, error) {
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
	grants := make([]cache.Grant, len(keys))
	for b, places := range s.byBucket(len(keys), func(i int) string { return keys[i] }) {
		for len(places) > 0 {
			n := min(len(places), maxGets)
			if err := b.acquire(ctx, ttl, force, keys, places[:n], grants); err != nil {
				return nil, err
			}
			places = places[n:]
		}
	}
	return grants, nil
}

// acquire asks for the keys at some places and puts the answers there.
func (b *bucket) acquire(
	ctx context.Context, ttl time.Duration, force bool, names []string, places []int, grants []cache.Grant,
) error {
	keys := append([]string{b.meta, b.tagKey}, b.stream.Keys()[0])
	args := []any{nonce(), milliseconds(ttl), flag(force)}
	for _, place := range places {
		token := nonce() + nonce()
		grants[place].Lease = cache.Lease{Key: names[place], Token: token}
		keys = append(keys, b.entryKey(names[place]), b.leaseKey(names[place]))
		args = append(args, token)
	}
	var reply []any
	mark := b.line.Mark()
	asked := time.Now()
	err := b.s.write(ctx, func(ctx context.Context) (err error) {
		asked = time.Now()
		reply, err = b.s.scripts.acquire.Run(ctx, b.s.client, keys, args...).Slice()
		return err
	})
	if err != nil {
		return unreadable(err)
	}
	if len(reply) != 2+3*len(places) {
		return errReply
	}
	text, _ := reply[0].(string)
	now, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return errReply
	}
	b.sync(asked, now)
	for i, place := range places {
		g := &grants[place]
		raw, _ := reply[2+3*i].(string)
		granted, _ := reply[3+3*i].(int64)
		busy, _ := reply[4+3*i].(int64)
		if s, ok := parse(raw, now); ok {
			b.tags.learn(b.line, mark, &s)
			g.Entry, g.Found = s.entry, true
		}
		if granted != 1 {
			g.Lease.Token = ""
		}
		g.Busy = time.Duration(max(busy, 0)) * time.Millisecond
	}
	return nil
}

// unreadable makes of an unknown outcome what it is for a caller that wanted to
// read: a lease that was taken without the answer lapses.
func unreadable(err error) error {
	if isUncertain(err) {
		return &unavailableError{err}
	}
	return err
}

// unavailableError is an error that counts as cache.ErrUnavailable only.
type unavailableError struct{ cause error }

func (e *unavailableError) Error() string {
	return cache.ErrUnavailable.Error() + ": " + e.cause.Error()
}
func (e *unavailableError) Is(target error) bool { return target == cache.ErrUnavailable }

// Release implements cache.Leaser.
func (s *Store) Release(ctx context.Context, leases ...cache.Lease) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	for b, places := range s.byBucket(len(leases), func(i int) string { return leases[i].Key }) {
		keys, args := b.stream.Keys(), b.stream.Args()
		for _, place := range places {
			keys = append(keys, b.leaseKey(leases[place].Key))
			args = append(args, leases[place].Token, part(filled, leases[place].Key))
		}
		err := s.write(ctx, func(ctx context.Context) error {
			return s.scripts.release.Run(ctx, s.client, keys, args...).Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}
