package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Loader returns the value of key from the source of truth, or ErrNotFound if
// there is none. Its ctx carries the values of the first caller's, but not its
// end: that caller may leave while others wait.
type Loader[T any] func(ctx context.Context, key string) (T, error)

// Loaded is a value for which the loader itself decides how it is kept.
type Loaded[T any] struct {
	Value T
	// TTL replaces the Policy's TTL; 0 keeps it.
	TTL time.Duration
	// Tags are added to the Policy's.
	Tags []string
	// NoStore returns the value to all who wait, and keeps it nowhere.
	NoStore bool
}

// GetOrLoad returns the value of key, from the process, the Store or load, in
// this order. Among all nodes one loader runs per key. What it returns is kept,
// unless the key was written, deleted or invalidated meanwhile.
func (t *Typed[T]) GetOrLoad(ctx context.Context, key string, load Loader[T]) (T, error) {
	now := t.c.now()
	r := t.hit(key, now)
	if r != nil && now < r.refresh {
		return t.local(r)
	}
	return t.getOrLoad(ctx, key, r, func(ctx context.Context, key string) (Loaded[T], error) {
		v, err := load(ctx, key)
		return Loaded[T]{Value: v}, err
	})
}

// GetOrLoadEntry is GetOrLoad for a loader that decides per value.
func (t *Typed[T]) GetOrLoadEntry(
	ctx context.Context, key string, load func(ctx context.Context, key string) (Loaded[T], error),
) (T, error) {
	now := t.c.now()
	r := t.hit(key, now)
	if r != nil && now < r.refresh {
		return t.local(r)
	}
	return t.getOrLoad(ctx, key, r, load)
}

// getOrLoad is what remains to do where there is no copy, or one to refresh.
func (t *Typed[T]) getOrLoad(
	ctx context.Context, key string, due *resident, load func(context.Context, string) (Loaded[T], error),
) (T, error) {
	many := func(ctx context.Context, keys []string) (map[string]Loaded[T], error) {
		v, err := load(ctx, keys[0])
		if err != nil {
			return nil, err
		}
		return map[string]Loaded[T]{keys[0]: v}, nil
	}
	if due != nil {
		t.refresh(ctx, key, many)
		return t.local(due)
	}
	found, err := t.fetch(ctx, []string{key}, many)
	if err == nil && len(found) == 0 {
		err = ErrNotFound
	}
	return found[key], opError("load", key, err)
}

// GetOrLoadMany returns the values of keys that exist. load gets the keys that
// are nowhere, and are not being loaded already, and returns the values that
// exist.
func (t *Typed[T]) GetOrLoadMany(
	ctx context.Context, keys []string, load func(ctx context.Context, keys []string) (map[string]T, error),
) (map[string]T, error) {
	found, err := t.fetch(ctx, keys, func(ctx context.Context, keys []string) (map[string]Loaded[T], error) {
		values, err := load(ctx, keys)
		loaded := make(map[string]Loaded[T], len(values))
		for k, v := range values {
			loaded[k] = Loaded[T]{Value: v}
		}
		return loaded, err
	})
	return found, opError("load", "", err)
}

// GetMany returns the fresh values of keys that exist.
func (t *Typed[T]) GetMany(ctx context.Context, keys []string) (map[string]T, error) {
	found, err := t.fetch(ctx, keys, nil)
	return found, opError("get", "", err)
}

type loadMany[T any] func(ctx context.Context, keys []string) (map[string]Loaded[T], error)

// fetch returns the values of keys, by way of flights where the process has none.
// A nil load means to take what the Store has.
func (t *Typed[T]) fetch(ctx context.Context, keys []string, load loadMany[T]) (map[string]T, error) {
	leave, err := t.c.group.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	values := make(map[string]T, len(keys))
	var mine, all []*flight
	wake := make(chan struct{}, 1)
	for _, key := range keys {
		if r := t.hit(key, t.c.now()); r != nil {
			if v, err := t.local(r); err == nil {
				values[key] = v
			} else if !errors.Is(err, ErrNotFound) {
				return nil, err
			}
			continue
		}
		full, err := t.c.key(key)
		if err != nil {
			return nil, err
		}
		if load == nil {
			f := t.c.newFlight(key, full, wake)
			mine, all = append(mine, f), append(all, f)
			continue
		}
		f, run := t.c.join(key, full, wake)
		if run {
			mine = append(mine, f)
		}
		all = append(all, f)
	}
	if err := t.launch(ctx, mine, load, wake); err != nil {
		return nil, err
	}
	return values, t.collect(ctx, all, values, load != nil)
}

// launch runs flights on their own goroutine and ctx.
func (t *Typed[T]) launch(ctx context.Context, mine []*flight, load loadMany[T], wake chan struct{}) error {
	if len(mine) == 0 {
		return nil
	}
	for _, f := range mine {
		t.offerLocal(f)
	}
	if load == nil {
		t.readAll(ctx, mine, nil)
		return nil
	}
	started := t.c.group.Go("load", func(life context.Context) {
		ctx, cancel := detached(ctx, life)
		defer cancel()
		t.run(ctx, mine, load, wake, false)
	})
	if !started {
		t.finishAll(mine, outcome{err: ErrClosed})
		return ErrClosed
	}
	return nil
}

// detached returns a ctx with the values of ctx that ends with life.
func detached(ctx, life context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unlink := context.AfterFunc(life, func() { cancel(context.Cause(life)) })
	return ctx, func() { unlink(); cancel(nil) }
}

// refresh loads key behind the scenes, once at a time on this node.
func (t *Typed[T]) refresh(ctx context.Context, key string, load loadMany[T]) {
	c := t.c
	full, err := c.key(key)
	c.mu.Lock()
	_, busy := c.refills[key]
	if busy || err != nil || c.leaser == nil {
		c.mu.Unlock()
		return
	}
	c.refills[key] = struct{}{}
	c.mu.Unlock()
	free := func() {
		c.mu.Lock()
		delete(c.refills, key)
		c.mu.Unlock()
	}
	started := c.group.Go("refresh", func(life context.Context) {
		defer free()
		ctx, cancel := detached(ctx, life)
		defer cancel()
		wake := make(chan struct{}, 1)
		f := c.newFlight(key, full, wake)
		t.run(ctx, []*flight{f}, load, wake, true)
		if err := f.outcome.err; err != nil && !errors.Is(err, ErrNotFound) {
			c.opts.Logger.WarnContext(ctx, "refresh failed", "key", key, "error", err)
		}
	})
	if !started {
		free()
	}
}

// finishAll ends flights that are still open with one outcome.
func (t *Typed[T]) finishAll(fs []*flight, o outcome) {
	for _, f := range fs {
		t.c.finish(f, o)
	}
}

// call runs the loader, bounded by HardTimeout even if it ignores its ctx; a
// panic becomes an error.
func (t *Typed[T]) call(ctx context.Context, load loadMany[T], keys []string) (map[string]Loaded[T], error) {
	ctx, cancel := context.WithTimeout(ctx, t.policy.HardTimeout)
	defer cancel()
	type result struct {
		values map[string]Loaded[T]
		err    error
	}
	results := make(chan result, 1)
	began := time.Now()
	started := t.c.group.Go("loader", func(context.Context) {
		values, err := protect(ctx, load, keys)
		results <- result{values, err}
	})
	if !started {
		return nil, ErrClosed
	}
	var r result
	select {
	case r = <-results:
	case <-ctx.Done():
		r.err = fmt.Errorf("loader did not return: %w", context.Cause(ctx))
	}
	t.counted(ctx, keys, time.Since(began), r.err)
	return r.values, r.err
}

func (t *Typed[T]) counted(ctx context.Context, keys []string, took time.Duration, err error) {
	t.c.stats.add(loads, 1)
	t.c.stats.add(loadTime, uint64(took))
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.c.stats.add(loadErrors, 1)
	}
	for _, key := range keys {
		t.c.opts.Hooks.loaded(ctx, key, took, err)
	}
}
