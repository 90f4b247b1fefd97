package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Set writes the value of key for the Policy's TTL.
func (t *Typed[T]) Set(ctx context.Context, key string, value T) error {
	_, err := t.SetWith(ctx, key, value, SetOptions{})
	return err
}

// SetOptions depart from the Policy for one value.
type SetOptions struct {
	// TTL replaces the Policy's TTL; 0 keeps it.
	TTL time.Duration
	// Tags are added to the Policy's.
	Tags []string
	// OnlyIfAbsent writes only where there is no fresh value, else ErrVersion.
	OnlyIfAbsent bool
	// IfVersion, unless zero, writes only over that version, else ErrVersion.
	IfVersion Version
}

// SetWith is Set with options. It returns the Version written.
func (t *Typed[T]) SetWith(ctx context.Context, key string, value T, o SetOptions) (Version, error) {
	v, err := t.set(ctx, key, value, o)
	return v, opError("set", key, err)
}

func (t *Typed[T]) set(ctx context.Context, key string, value T, o SetOptions) (Version, error) {
	tags, err := t.allTags(o.Tags)
	if err != nil {
		return Version{}, err
	}
	wo := t.policy.options(o.TTL, tags)
	wo.OnlyIfAbsent, wo.IfVersion = o.OnlyIfAbsent, o.IfVersion
	versions, err := t.write(ctx, []string{key}, []T{value}, wo)
	if err != nil {
		return Version{}, err
	}
	if versions[0] == (Version{}) {
		return Version{}, ErrVersion
	}
	return versions[0], nil
}

// SetMany writes several values for the Policy's TTL. Each is atomic, all
// together are not; after an error some may be written.
func (t *Typed[T]) SetMany(ctx context.Context, values map[string]T) error {
	keys := make([]string, 0, len(values))
	list := make([]T, 0, len(values))
	for k, v := range values {
		keys, list = append(keys, k), append(list, v)
	}
	_, err := t.write(ctx, keys, list, t.policy.options(0, t.tags))
	return opError("set", "", err)
}

// write stores values and keeps them in the process.
func (t *Typed[T]) write(ctx context.Context, keys []string, values []T, o WriteOptions) ([]Version, error) {
	leave, err := t.c.group.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	writes := make([]Write, len(keys))
	for i, key := range keys {
		if writes[i].Key, err = t.c.key(key); err != nil {
			return nil, err
		}
		if writes[i].Value, err = t.encode(values[i]); err != nil {
			return nil, err
		}
		writes[i].WriteOptions = o
		writes[i].Format = t.codec.Name()
	}
	marks := t.c.marks(writes)
	versions, err := t.c.store.Set(ctx, writes...)
	if err != nil {
		t.c.dropLocal(keys)
		return nil, err
	}
	if o.Keep {
		return versions, nil // times and tags are only known to the Store
	}
	for i, key := range keys {
		if versions[i] != (Version{}) {
			t.keep(key, &writes[i], values[i], versions[i], marks[i])
		}
	}
	return versions, nil
}

// keep puts a value that this node just wrote into the process.
func (t *Typed[T]) keep(key string, w *Write, value T, v Version, m Mark) *resident {
	c := t.c
	if c.feed == nil {
		return nil
	}
	life := Forever
	if w.TTL < Forever-w.Stale {
		life = w.TTL + w.Stale
	}
	e := Entry{Version: v, TTL: w.TTL, Life: life, Tags: w.Tags, Format: w.Format, Absent: w.Absent}
	if t.clone != nil && !w.Absent {
		value = t.clone(value)
	}
	r := c.newResident(w.Key, m, &e, &value, t.policy.RefreshAhead)
	if c.local != nil {
		c.local.keep(key, w.Key, r)
	}
	return r
}

func (c *Cache) marks(writes []Write) []Mark {
	marks := make([]Mark, len(writes))
	if c.feed != nil {
		for i := range writes {
			marks[i] = c.feed.Line(writes[i].Key).Mark()
		}
	}
	return marks
}

func (c *Cache) dropLocal(keys []string) {
	if c.local == nil {
		return
	}
	for _, key := range keys {
		c.local.drop(key)
	}
}

func (t *Typed[T]) encode(value T) ([]byte, error) {
	b, err := t.codec.Encode(nil, value)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	if len(b) > t.c.opts.MaxBytes {
		return nil, fmt.Errorf("value of %d bytes: %w", len(b), ErrTooLarge)
	}
	return b, nil
}

func (t *Typed[T]) allTags(more []string) ([]string, error) {
	if len(more) == 0 {
		return t.tags, nil
	}
	all := append([]string(nil), t.tags...)
	for _, tag := range more {
		if err := checkTag(tag); err != nil {
			return nil, err
		}
		all = append(all, t.c.start+tag)
	}
	if len(all) > maxTags {
		return nil, fmt.Errorf("%d tags: %w", len(all), ErrTooLarge)
	}
	return all, nil
}

// maxTags is how many tags an entry carries at most, that of its namespace
// included.
const maxTags = 64

// Delete removes the values of keys. It returns how many there were.
func (t *Typed[T]) Delete(ctx context.Context, keys ...string) (int, error) {
	n, err := t.c.delete(ctx, keys)
	name := ""
	if len(keys) == 1 {
		name = keys[0]
	}
	return n, opError("delete", name, err)
}

func (c *Cache) delete(ctx context.Context, keys []string) (int, error) {
	leave, err := c.group.Enter()
	if err != nil {
		return 0, err
	}
	defer leave()
	full := make([]string, len(keys))
	for i, key := range keys {
		if full[i], err = c.key(key); err != nil {
			return 0, err
		}
	}
	n, err := c.store.Delete(ctx, full...)
	c.dropLocal(keys)
	return n, err
}

// Touch lets the value of key be fresh for ttl from now on. It reports
// ErrNotFound if there is none.
func (t *Typed[T]) Touch(ctx context.Context, key string, ttl time.Duration) error {
	found, err := t.touch(ctx, key, ttl)
	if err == nil && !found {
		err = ErrNotFound
	}
	return opError("touch", key, err)
}

func (t *Typed[T]) touch(ctx context.Context, key string, ttl time.Duration) (bool, error) {
	leave, err := t.c.group.Enter()
	if err != nil {
		return false, err
	}
	defer leave()
	full, err := t.c.key(key)
	if err != nil {
		return false, err
	}
	toucher, ok := t.c.store.(Toucher)
	switch {
	case !ok:
		return false, ErrUnsupported
	case ttl < time.Millisecond:
		return false, fmt.Errorf("ttl is %v, want at least 1ms, or Forever", ttl)
	}
	return toucher.Touch(ctx, full, ttl)
}

// TTL returns for how long the value of key is still fresh, Forever included. It
// asks the Store.
func (t *Typed[T]) TTL(ctx context.Context, key string) (time.Duration, error) {
	leave, err := t.c.group.Enter()
	if err != nil {
		return 0, opError("ttl", key, err)
	}
	defer leave()
	full, err := t.c.key(key)
	if err != nil {
		return 0, opError("ttl", key, err)
	}
	e, err := t.c.store.Get(ctx, full)
	if err == nil && (!e.Fresh() || e.Absent) {
		err = ErrNotFound
	}
	return e.TTL, opError("ttl", key, err)
}

// Update replaces the value of key by what fn makes of it, atomically: if another
// write comes between, fn runs again on the newer value. found is false where
// there is no fresh value; the new one then gets the Policy's TTL and tags, while
// an existing one keeps its own. An error of fn ends Update and changes nothing.
func (t *Typed[T]) Update(ctx context.Context, key string, fn func(old T, found bool) (T, error)) error {
	return opError("update", key, t.update(ctx, key, fn))
}

func (t *Typed[T]) update(ctx context.Context, key string, fn func(T, bool) (T, error)) error {
	full, err := t.c.key(key)
	if err != nil {
		return err
	}
	for {
		var old T
		o := t.policy.options(0, t.tags)
		e, err := t.c.store.Get(ctx, full)
		switch {
		case errors.Is(err, ErrNotFound):
			o.OnlyIfAbsent = true
		case err != nil:
			return err
		default:
			old, err = t.decode(&e)
			found := err == nil && e.Fresh() && !e.Absent
			o.IfVersion, o.Keep = e.Version, found
			if !found {
				var zero T
				old = zero
			}
		}
		value, err := fn(old, o.Keep)
		if err != nil {
			return err
		}
		versions, err := t.write(ctx, []string{key}, []T{value}, o)
		if err != nil {
			return err
		}
		if versions[0] != (Version{}) {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}
