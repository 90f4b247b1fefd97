package cacheredis

import (
	"sync"

	"github.com/cohort-go/cohort/cache"
)

// tagMap is what the node knows of the tags of a bucket: their versions, kept in
// step by the changes. It lets an entry be judged without asking for its tags.
type tagMap struct {
	mu       sync.RWMutex
	versions map[string]string
}

// maxTags bounds a tagMap; beyond it all is forgotten and learned anew.
const maxTags = 1 << 16

// holds reports whether the tags of an entry are known to be what they were when
// it was written.
func (t *tagMap) holds(s *stored) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for i, name := range s.entry.Tags {
		if t.versions[name] != s.tags[i] {
			return false
		}
	}
	return true
}

// learn takes the tags of an entry that the server called live after m.
func (t *tagMap) learn(l *cache.Line, m cache.Mark, s *stored) {
	if len(s.tags) == 0 || t.holds(s) {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.versions == nil || len(t.versions) > maxTags {
		t.versions = make(map[string]string)
	}
	for i, name := range s.entry.Tags {
		if l.Unchanged(name, m) {
			t.versions[name] = s.tags[i]
		}
	}
}

func (t *tagMap) forget(names []string) {
	if len(names) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		delete(t.versions, name)
	}
}

func (t *tagMap) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.versions)
}
