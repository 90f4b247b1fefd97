package cache

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// accept decodes an entry that was read at m and keeps it in the process. It
// reports false for one that cannot be decoded, which counts as absent.
func (t *Typed[T]) accept(f *flight, m Mark, e *Entry) (*outcome, bool) {
	value, err := t.decode(e)
	if err != nil {
		f.corrupt = true
		t.c.stats.add(corrupt, 1)
		t.c.opts.Hooks.corrupt(f.key, err)
		return nil, false
	}
	o := &outcome{value: &value, source: FromL2, version: e.Version, age: e.Age}
	if e.Absent {
		o.value, o.err = nil, ErrNotFound
	}
	if t.c.local != nil || t.c.feed != nil && t.policy.RefreshAhead > 0 {
		o.copy = t.c.newResident(f.full, m, e, o.value, t.policy.RefreshAhead)
	}
	if t.c.local != nil {
		t.c.local.keep(f.key, f.full, o.copy)
	}
	if !e.Fresh() {
		o.source, o.expired = Stale, -e.TTL
		return o, true
	}
	t.c.stats.add(l2Hits, 1)
	return o, true
}

func (t *Typed[T]) decode(e *Entry) (v T, err error) {
	switch {
	case e.Absent:
		return v, nil
	case e.Format != t.codec.Name():
		return v, fmt.Errorf("format is %q, want %q", e.Format, t.codec.Name())
	case len(e.Value) > t.c.opts.MaxBytes:
		return v, fmt.Errorf("value of %d bytes: %w", len(e.Value), ErrTooLarge)
	}
	return t.codec.Decode(e.Value)
}

// offerLocal lets callers of f have the node's own expired copy, if it is proven
// that nothing else happened to it.
func (t *Typed[T]) offerLocal(f *flight) {
	if t.c.local == nil {
		return
	}
	now := t.c.now()
	r := t.c.local.get(f.key, now)
	if r == nil || r.absent || now < r.expires {
		return
	}
	f.offer(t.staleOutcome(r, now))
}

// unproven returns the node's own copy for use while the Store is away, if the
// Cache was told to serve such ones.
func (t *Typed[T]) unproven(key string) *outcome {
	if t.c.local == nil || t.c.opts.Down != ServeStale {
		return nil
	}
	r := t.c.local.unproven(key)
	if r == nil || r.absent {
		return nil
	}
	o := t.staleOutcome(r, t.c.now())
	o.unproven = true
	return o
}

func (t *Typed[T]) staleOutcome(r *resident, now int64) *outcome {
	return &outcome{
		value: r.value, source: Stale, version: r.version, copy: r,
		age: time.Duration(now - r.written), expired: time.Duration(now - r.expires),
	}
}

// found makes of an outcome what the caller sees.
func (t *Typed[T]) found(key string, o *outcome) (Found[T], error) {
	if o.err != nil {
		return Found[T]{}, o.err
	}
	p, ok := o.value.(*T)
	if !ok {
		return Found[T]{}, wrongType[T](o.value)
	}
	f := Found[T]{Value: *p, Source: o.source, Version: o.version, Age: o.age, Unproven: o.unproven}
	if t.clone != nil {
		f.Value = t.clone(f.Value)
	}
	if o.source == Stale {
		t.c.stats.add(staleHits, 1)
		t.c.opts.Hooks.staleServed(key, o.age)
	}
	return f, nil
}

// collect waits for flights, each as long as the Policy and ctx say, and adds
// their values.
func (t *Typed[T]) collect(ctx context.Context, fs []*flight, values map[string]T, loading bool) error {
	var errs []error
	for _, f := range fs {
		o, err := t.await(ctx, f, loading)
		if err != nil {
			return err // ctx ended
		}
		found, err := t.found(f.key, o)
		switch {
		case err == nil:
			values[f.key] = found.Value
		case !errors.Is(err, ErrNotFound):
			errs = append(errs, err)
		}
	}
	if len(fs) == 1 && len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// await returns the outcome of f, or an expired value where the Policy prefers it.
func (t *Typed[T]) await(ctx context.Context, f *flight, loading bool) (*outcome, error) {
	if !loading {
		return t.readOutcome(f), nil
	}
	var soft <-chan time.Time
	if t.policy.SoftTimeout > 0 {
		timer := time.NewTimer(t.policy.SoftTimeout)
		defer timer.Stop()
		soft = timer.C
	}
	hasOld, late := f.hasOld, false
	for {
		select {
		case <-f.done:
			if err := f.outcome.err; err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrClosed) {
				if old := t.usable(f, t.policy.FailSafe); old != nil {
					return old, nil
				}
			}
			return &f.outcome, nil
		case <-hasOld:
			hasOld = nil
		case <-soft:
			soft, late = nil, true
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		within := t.policy.StaleFor
		if late {
			within = max(within, t.policy.FailSafe)
		}
		if old := t.usable(f, within); old != nil && !f.ended() {
			return old, nil
		}
	}
}

func (f *flight) ended() bool {
	select {
	case <-f.done:
		return true
	default:
		return false
	}
}

// usable returns the expired value that f found, if it expired less than within
// ago.
func (t *Typed[T]) usable(f *flight, within time.Duration) *outcome {
	old := f.old()
	if old == nil || old.err != nil || old.expired >= within {
		return nil
	}
	return old
}

// readOutcome is the outcome of a flight that only read.
func (t *Typed[T]) readOutcome(f *flight) *outcome {
	if f.ended() {
		return &f.outcome
	}
	if f.readErr == nil {
		return &outcome{err: ErrNotFound}
	}
	if errors.Is(f.readErr, ErrUnavailable) {
		t.c.stats.add(unavailable, 1)
		if o := t.unproven(f.key); o != nil {
			return o
		}
	}
	return &outcome{err: f.readErr}
}
