package cache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// poll spaces out looks at a key that another node is loading, for the case that
// the news of it does not arrive.
var poll = backoff.Policy{Base: 20 * time.Millisecond, Max: 250 * time.Millisecond}

// leaseMargin is what a load lease outlasts the loader's HardTimeout by, for the
// write of its value.
const leaseMargin = time.Second

// run takes flights to their end: read the Store; where it has no fresh value take
// the lease and load, or wait for the node that has it, and begin again. With
// force set a value is loaded although there is a fresh one, unless another node
// is doing so.
func (t *Typed[T]) run(ctx context.Context, open []*flight, load loadMany[T], wake chan struct{}, force bool) {
	if !force {
		open = t.readAll(ctx, open, load)
	}
	if t.c.leaser == nil && len(open) > 0 {
		t.loadUnleased(ctx, open, load)
		return
	}
	for attempt := 0; len(open) > 0; attempt++ {
		held, busy, wait, err := t.acquire(ctx, open, force)
		if err != nil {
			t.failed(ctx, open, load, err)
			return
		}
		if len(held) > 0 {
			t.loadHeld(ctx, held, load)
		}
		if force {
			t.finishAll(busy, outcome{err: ErrNotFound}) // nobody waits for it
			return
		}
		if open = busy; len(open) == 0 {
			return
		}
		timer := time.NewTimer(min(wait, poll.Delay(attempt)))
		select {
		case <-wake:
		case <-timer.C:
		case <-ctx.Done():
			t.finishAll(open, outcome{err: context.Cause(ctx)})
			open = nil
		}
		timer.Stop()
	}
}

// readAll finishes the flights for which the Store has a fresh value
// and returns the others. What is due for it is refreshed by load, unless nil.
func (t *Typed[T]) readAll(ctx context.Context, fs []*flight, load loadMany[T]) (open []*flight) {
	marks := make([]Mark, len(fs))
	keys := make([]string, len(fs))
	for i, f := range fs {
		marks[i], keys[i] = f.mark(), f.full
	}
	entries, err := t.read(ctx, keys)
	for i, f := range fs {
		f.readErr = err
		e, ok := entries[f.full]
		if ok && t.take(ctx, f, marks[i], &e, load) {
			continue
		}
		t.c.stats.add(misses, 1)
		open = append(open, f)
	}
	return open
}

// take finishes f with e, or offers it a stale value and reports false.
func (t *Typed[T]) take(ctx context.Context, f *flight, mark Mark, e *Entry, load loadMany[T]) bool {
	o, ok := t.accept(f, mark, e)
	if !ok {
		return false
	}
	if o.source == Stale {
		f.offer(o)
		return false
	}
	t.c.finish(f, *o)
	if load != nil && o.copy != nil && t.c.now() >= o.copy.refresh {
		t.refresh(ctx, f.key, load)
	}
	return true
}

// read is Get or GetMany: a Store may be quicker at one key.
func (t *Typed[T]) read(ctx context.Context, keys []string) (map[string]Entry, error) {
	if len(keys) > 1 {
		return t.c.store.GetMany(ctx, keys)
	}
	e, err := t.c.store.Get(ctx, keys[0])
	if errors.Is(err, ErrNotFound) {
		return map[string]Entry{}, nil
	}
	if err != nil {
		return nil, err
	}
	return map[string]Entry{keys[0]: e}, nil
}

// leased is a flight whose lease this node holds.
type leased struct {
	*flight
	lease Lease
	read  Mark
}

// acquire finishes what has become fresh and returns the flights to load, those to
// wait for, and for how long at most.
func (t *Typed[T]) acquire(
	ctx context.Context, open []*flight, force bool,
) (held []leased, busy []*flight, wait time.Duration, err error) {
	wait = poll.Max
	marks := make([]Mark, len(open))
	keys := make([]string, len(open))
	overwrite := force
	for i, f := range open {
		marks[i], keys[i] = f.mark(), f.full
		overwrite = overwrite || f.corrupt
		f.corrupt = false
	}
	grants, err := t.c.leaser.Acquire(ctx, t.policy.HardTimeout+leaseMargin, overwrite, keys...)
	if err != nil {
		return nil, nil, 0, err
	}
	var needless []Lease
	for i, f := range open {
		g := &grants[i]
		if g.Found && !force {
			o, ok := t.accept(f, marks[i], &g.Entry)
			if ok && o.source != Stale {
				t.c.finish(f, *o)
				if g.Lease.Token != "" {
					needless = append(needless, g.Lease)
				}
				continue
			}
			if ok {
				f.offer(o)
			}
		}
		if g.Lease.Token != "" {
			held = append(held, leased{f, g.Lease, marks[i]})
			continue
		}
		busy = append(busy, f)
		wait = min(wait, max(g.Busy, time.Millisecond))
	}
	if len(needless) > 0 {
		t.giveBack(ctx, needless)
	}
	return held, busy, wait, nil
}

// loadHeld loads, stores and finishes the flights whose leases are held.
func (t *Typed[T]) loadHeld(ctx context.Context, held []leased, load loadMany[T]) {
	keys := make([]string, len(held))
	for i, h := range held {
		keys[i] = h.key
	}
	values, err := t.call(ctx, load, keys)
	if err != nil && !errors.Is(err, ErrNotFound) {
		t.release(ctx, held, outcome{err: err})
		return
	}
	var fills []Fill
	var filled []leased
	var results []outcome
	for _, h := range held {
		w, o, keep := t.toWrite(h.flight, values)
		if !keep {
			t.release(ctx, []leased{h}, o)
			continue
		}
		fills, filled, results = append(fills, Fill{h.lease, w}), append(filled, h), append(results, o)
	}
	if len(fills) == 0 {
		return
	}
	versions, err := t.c.leaser.Fill(ctx, fills...)
	if err != nil {
		defer t.endLeases(ctx, filled)
	}
	for i, h := range filled {
		o := results[i]
		switch {
		case err != nil: // the value is good, the Store is not
			t.c.dropLocal([]string{h.key})
		case versions[i] == (Version{}):
			t.c.stats.add(refused, 1)
			t.c.opts.Hooks.refused(h.key)
		default:
			o.copy = t.keepLoaded(h.key, &fills[i].Write, o.value, versions[i], h.read)
		}
		t.c.finish(h.flight, o)
	}
}

// toWrite makes of a loaded value what is to be stored and what callers get. keep
// is false for what is not to be stored.
func (t *Typed[T]) toWrite(f *flight, values map[string]Loaded[T]) (w Write, o outcome, keep bool) {
	loaded, ok := values[f.key]
	if !ok {
		w = Write{Key: f.full, WriteOptions: WriteOptions{
			TTL: t.policy.NegativeTTL, Tags: t.tags, Format: t.codec.Name(), Absent: true,
		}}
		return w, outcome{source: FromLoader, err: ErrNotFound}, t.policy.NegativeTTL >= time.Millisecond
	}
	o = outcome{value: &loaded.Value, source: FromLoader}
	if loaded.NoStore {
		return w, o, false
	}
	if loaded.TTL != 0 && loaded.TTL < time.Millisecond {
		return w, outcome{err: fmt.Errorf("loaded TTL is %v, want at least 1ms, or Forever", loaded.TTL)}, false
	}
	tags, err := t.allTags(loaded.Tags)
	if err != nil {
		return w, outcome{err: err}, false
	}
	b, err := t.encode(loaded.Value)
	if err != nil {
		return w, outcome{err: err}, false
	}
	w = Write{Key: f.full, Value: b, WriteOptions: t.policy.options(loaded.TTL, tags)}
	w.Format = t.codec.Name()
	return w, o, true
}

func (t *Typed[T]) keepLoaded(key string, w *Write, value any, v Version, m Mark) *resident {
	p, _ := value.(*T)
	if p == nil {
		p = new(T)
	}
	return t.keep(key, w, *p, v, m)
}

// release finishes flights whose value is not stored.
func (t *Typed[T]) release(ctx context.Context, held []leased, o outcome) {
	for _, h := range held {
		t.c.finish(h.flight, o)
	}
	t.endLeases(ctx, held)
}

func (t *Typed[T]) endLeases(ctx context.Context, held []leased) {
	leases := make([]Lease, len(held))
	for i, h := range held {
		leases[i] = h.lease
	}
	t.giveBack(ctx, leases)
}

func (t *Typed[T]) giveBack(ctx context.Context, leases []Lease) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaseMargin)
	defer cancel()
	_ = t.c.leaser.Release(ctx, leases...) // else they lapse
}

// loadUnleased loads for a Store without leases: one loader per node, and a write
// that may follow an invalidation.
func (t *Typed[T]) loadUnleased(ctx context.Context, open []*flight, load loadMany[T]) {
	keys := make([]string, len(open))
	for i, f := range open {
		keys[i] = f.key
	}
	values, err := t.call(ctx, load, keys)
	for _, f := range open {
		if err != nil && !errors.Is(err, ErrNotFound) {
			t.c.finish(f, outcome{err: err})
			continue
		}
		w, o, keep := t.toWrite(f, values)
		if keep {
			_, _ = t.c.store.Set(ctx, w) // the value is good, whatever the Store does
		}
		t.c.finish(f, o)
	}
}

// failed finishes flights for which the Store gave an error: with the node's own
// copy or the loader where it is away.
func (t *Typed[T]) failed(ctx context.Context, open []*flight, load loadMany[T], err error) {
	if !errors.Is(err, ErrUnavailable) {
		t.finishAll(open, outcome{err: err})
		return
	}
	t.c.stats.add(unavailable, uint64(len(open)))
	var rest []*flight
	for _, f := range open {
		if o := t.unproven(f.key); o != nil {
			t.c.finish(f, *o)
			continue
		}
		rest = append(rest, f)
	}
	if len(rest) == 0 {
		return
	}
	keys := make([]string, len(rest))
	for i, f := range rest {
		keys[i] = f.key
	}
	values, err := t.call(ctx, load, keys)
	for _, f := range rest {
		loaded, ok := values[f.key]
		switch {
		case err != nil && !errors.Is(err, ErrNotFound):
			t.c.finish(f, outcome{err: err})
		case !ok:
			t.c.finish(f, outcome{err: ErrNotFound})
		default:
			t.c.finish(f, outcome{value: &loaded.Value, source: FromLoader})
		}
	}
}
