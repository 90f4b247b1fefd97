package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Typed reads and writes values of one type in a [Cache]. All methods are safe
// for concurrent use.
type Typed[T any] struct {
	c      *Cache
	codec  Codec[T]
	policy Policy
	tags   []string  // of every value: that of the namespace, then the Policy's
	clone  func(T) T // nil: values are shared
}

// Of returns a typed view of c. Views of one Cache share its entries; each key
// should be used with one type only.
func Of[T any](c *Cache, codec Codec[T], policy Policy) (*Typed[T], error) {
	if c == nil || codec == nil {
		return nil, errors.New("cache: cache or codec is nil")
	}
	policy, err := policy.withDefaults()
	if err := errors.Join(err, checkFormat(codec.Name())); err != nil {
		return nil, fmt.Errorf("cache: %w", err)
	}
	t := &Typed[T]{c: c, codec: codec, policy: policy, tags: []string{c.space}}
	for _, tag := range policy.Tags {
		t.tags = append(t.tags, c.start+tag)
	}
	if cl, ok := codec.(cloned[T]); ok {
		t.clone = cl.clone
	}
	return t, nil
}

// MustOf is Of for programs whose Policy is fixed; it panics on an error.
func MustOf[T any](c *Cache, codec Codec[T], policy Policy) *Typed[T] {
	t, err := Of(c, codec, policy)
	if err != nil {
		panic(err)
	}
	return t
}

// Cache returns the Cache of which t is a view.
func (t *Typed[T]) Cache() *Cache { return t.c }

// Get returns the fresh value of key or ErrNotFound. While the Store is away and
// the Cache serves stale values it returns the node's own copy.
func (t *Typed[T]) Get(ctx context.Context, key string) (T, error) {
	if r := t.hit(key, t.c.now()); r != nil {
		return t.local(r)
	}
	found, err := t.Lookup(ctx, key)
	if err == nil && found.Source == Stale && !found.Unproven {
		err = ErrNotFound
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return found.Value, nil
}

// Lookup is Get with the circumstances of the value. It also returns values that
// expired but are still kept; their Source is Stale.
func (t *Typed[T]) Lookup(ctx context.Context, key string) (Found[T], error) {
	if r := t.hit(key, t.c.now()); r != nil {
		v, err := t.local(r)
		return Found[T]{Value: v, Source: FromL1, Age: t.c.elapsed(r.written), Version: r.version}, err
	}
	leave, err := t.c.group.Enter()
	if err != nil {
		return Found[T]{}, opError("get", key, err)
	}
	defer leave()
	full, err := t.c.key(key)
	if err != nil {
		return Found[T]{}, opError("get", key, err)
	}
	found, err := t.lookup(ctx, key, full)
	return found, opError("get", key, err)
}

func (t *Typed[T]) lookup(ctx context.Context, key, full string) (Found[T], error) {
	f := &flight{key: key, full: full}
	if t.c.feed != nil {
		f.line = t.c.feed.Line(full)
	}
	m := f.mark()
	e, err := t.c.store.Get(ctx, full)
	switch {
	case err == nil:
	case errors.Is(err, ErrUnavailable):
		t.c.stats.add(unavailable, 1)
		if o := t.unproven(key); o != nil {
			return t.found(key, o)
		}
		return Found[T]{}, err
	default:
		t.c.stats.add(misses, 1)
		return Found[T]{}, err
	}
	o, ok := t.accept(f, m, &e)
	if !ok {
		t.c.stats.add(misses, 1)
		return Found[T]{}, ErrNotFound
	}
	return t.found(key, o)
}

// hit returns the fresh, proven copy of key and counts it.
func (t *Typed[T]) hit(key string, now int64) *resident {
	l := t.c.local
	if l == nil {
		return nil
	}
	r := l.get(key, now)
	if r == nil || now >= r.expires {
		return nil
	}
	t.c.stats.hit(now)
	return r
}

// local returns the value of a copy.
func (t *Typed[T]) local(r *resident) (v T, err error) {
	if r.absent {
		return v, ErrNotFound
	}
	p, ok := r.value.(*T)
	if !ok {
		return v, wrongType[T](r.value)
	}
	if t.clone != nil {
		return t.clone(*p), nil
	}
	return *p, nil
}

// wrongType stands apart so that the value of a hit need not escape.
func wrongType[T any](value any) error {
	var want *T
	return fmt.Errorf("cache: the value is a %T, want %T", value, want)
}

// Source says where a value came from.
type Source int

// Sources.
const (
	FromL1     Source = iota + 1 // the process
	FromL2                       // the Store
	FromLoader                   // the source of truth, just now
	Stale                        // any of the two tiers, after it expired
)

func (s Source) String() string {
	switch s {
	case FromL1:
		return "L1"
	case FromL2:
		return "L2"
	case FromLoader:
		return "loader"
	case Stale:
		return "stale"
	}
	return "unknown"
}

// Found is a value and its circumstances.
type Found[T any] struct {
	Value  T
	Source Source
	// Age is the time since the value was written to the Store.
	Age time.Duration
	// Version is that of the entry; zero for a value that was not kept.
	Version Version
	// Unproven marks a Stale value that was served because the Store is away:
	// the key may have been changed or deleted.
	Unproven bool
}

func (c *Cache) now() int64 {
	if c.feed == nil {
		return 0
	}
	return c.feed.now()
}
