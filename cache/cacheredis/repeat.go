package cacheredis

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// repeater finishes what had an unknown outcome: a key whose write may or may not
// have happened is deleted, a tag invalidated, as soon as the server answers.
type repeater struct {
	s *Store

	mu      sync.Mutex
	running bool
	keys    map[string]struct{}
	tags    map[string]struct{}
}

// maxRepeats bounds what a repeater remembers. What is beyond it stays as the
// caller was told: unknown.
const maxRepeats = 1 << 16

func newRepeater(s *Store) *repeater {
	return &repeater{s: s, keys: make(map[string]struct{}), tags: make(map[string]struct{})}
}

func (r *repeater) add(keys ...string)     { r.put(r.keys, keys) }
func (r *repeater) addTags(tags ...string) { r.put(r.tags, tags) }

func (r *repeater) put(set map[string]struct{}, names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if len(set) < maxRepeats {
			set[name] = struct{}{}
		}
	}
	if !r.running {
		r.running = r.s.group.Go("repeat", r.run)
	}
}

func (r *repeater) run(ctx context.Context) {
	wait := backoff.Policy{Base: 20 * time.Millisecond, Max: time.Second, Jitter: 0.2}
	for attempt := 0; ; attempt++ {
		if backoff.Sleep(ctx, wait.Delay(attempt)) != nil {
			return
		}
		if r.s.breaker.open() {
			continue
		}
		if r.round(ctx) {
			return
		}
	}
}

// round tries everything once and reports whether nothing is left.
func (r *repeater) round(ctx context.Context) (done bool) {
	r.mu.Lock()
	keys, tags := slices.Collect(maps.Keys(r.keys)), slices.Collect(maps.Keys(r.tags))
	r.mu.Unlock()
	for _, key := range keys {
		if _, err := r.s.bucket(key).remove(ctx, []string{key}); err == nil {
			r.forget(r.keys, key)
		}
	}
	for _, tag := range tags {
		ok := true
		for _, b := range r.s.buckets {
			ok = b.invalidate(ctx, []string{tag}) == nil && ok
		}
		if ok {
			r.forget(r.tags, tag)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = len(r.keys)+len(r.tags) > 0
	return !r.running
}

func (r *repeater) forget(set map[string]struct{}, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(set, name)
}
