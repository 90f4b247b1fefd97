package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cohort-go/cohort/cache"
)

// cacheRow is one cache of the shared store.
type cacheRow struct {
	Name    string `json:"name"`
	Entries int    `json:"entries"`
}

// maxEntries bounds how many entries are counted: each is looked at.
const maxEntries = 100_000

// cache counts the fresh entries by cache. Hits and misses are each node's own;
// its telemetry has them.
func (s *source) cache(ctx context.Context) (table[cacheRow], error) {
	t := table[cacheRow]{
		Note:  unseen(s.node.Config().Cache),
		head:  []string{"CACHE", "FRESH ENTRIES"},
		cells: func(r cacheRow) []string { return []string{r.Name, strconv.Itoa(r.Entries)} },
	}
	if t.Note != "" {
		return t, nil
	}
	lister, ok := s.node.Store().(cache.Lister)
	if !ok {
		return t, cache.ErrUnsupported
	}
	counts := make(map[string]int)
	total := 0
	for key, err := range lister.Keys(ctx, "") {
		if err != nil {
			return t, err
		}
		if total++; total > maxEntries {
			t.Note = fmt.Sprintf("counted %d entries, there are more", maxEntries)
			break
		}
		name, _, _ := strings.Cut(key, "/")
		counts[name]++
	}
	for name, n := range counts {
		t.Rows = append(t.Rows, cacheRow{Name: name, Entries: n})
	}
	slices.SortFunc(t.Rows, func(a, b cacheRow) int { return cmp.Compare(a.Name, b.Name) })
	return t, nil
}
