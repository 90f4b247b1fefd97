package cacheredis

import (
	"context"
	"maps"
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
	last    uint64            // number of the last wish
	keys    map[string]uint64 // number of the last wish for each
	tags    map[string]uint64
}

// maxRepeats bounds what a repeater remembers. What is beyond it stays as the
// caller was told: unknown.
const maxRepeats = 1 << 16

func newRepeater(s *Store) *repeater {
	return &repeater{s: s, keys: make(map[string]uint64), tags: make(map[string]uint64)}
}

func (r *repeater) add(keys ...string)     { r.put(r.keys, keys) }
func (r *repeater) addTags(tags ...string) { r.put(r.tags, tags) }

func (r *repeater) put(set map[string]uint64, names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range names {
		if len(set) < maxRepeats {
			r.last++
			set[name] = r.last
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
	keys, tags := maps.Clone(r.keys), maps.Clone(r.tags)
	r.mu.Unlock()
	for key, wish := range keys {
		if _, err := r.s.bucket(key).remove(ctx, []string{key}); err == nil {
			r.forget(r.keys, key, wish)
		}
	}
	for tag, wish := range tags {
		ok := true
		for _, b := range r.s.buckets {
			ok = b.invalidate(ctx, []string{tag}) == nil && ok
		}
		if ok {
			r.forget(r.tags, tag, wish)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = len(r.keys)+len(r.tags) > 0
	return !r.running
}

// forget takes back a wish that was fulfilled, unless there is a newer one.
func (r *repeater) forget(set map[string]uint64, name string, wish uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if set[name] == wish {
		delete(set, name)
	}
}
