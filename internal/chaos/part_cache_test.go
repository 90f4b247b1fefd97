package chaos

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/cohort-go/cohort/cache"
)

// staleBound is the default MaxStaleness, and what a busy machine takes to return.
const staleBound = time.Second + 250*time.Millisecond

// remember changes entries of its own and reads those of all.
func remember(ctx context.Context, l *life, j *journal, quiet func()) {
	defer quiet()
	c, err := l.node.Cache("chaos")
	if err != nil {
		j.failed(err)
		return
	}
	versions := cache.MustOf(c, cache.JSON[int64](), cache.Policy{TTL: time.Minute})
	var working sync.WaitGroup
	defer working.Wait()
	working.Go(func() { change(ctx, l, j, versions) })
	l.until(ctx, 3*time.Millisecond, func(ctx context.Context) {
		key := fmt.Sprint("of-n", rand.IntN(l.nodes)+1)
		start := time.Now().UnixNano()
		version, err := versions.Get(ctx, key)
		switch {
		case err == nil:
			j.note("read", key, version, start)
		case !errors.Is(err, cache.ErrNotFound):
			j.failed(err)
		}
	})
}

// change writes ever greater versions of one key. A write whose outcome is unknown
// may still arrive, over one that came later: nothing is judged until it has.
func change(ctx context.Context, l *life, j *journal, versions *cache.Typed[int64]) {
	key := "of-" + l.name
	version := int64(l.count) << 40
	l.until(ctx, 10*time.Millisecond, func(ctx context.Context) {
		version++
		if err := versions.Set(ctx, key, version); err != nil {
			j.note("unsure", key, time.Now().UnixNano())
			j.failed(err)
			return
		}
		j.note("wrote", key, version, time.Now().UnixNano())
		j.done()
	})
}

// unsureFor is how long a write without an answer can be under way.
const unsureFor = 10 * time.Second

// judgeCache looks for reads of what had been replaced for too long.
func judgeCache(c *course) {
	type write struct{ version, at int64 }
	writes, unsure := map[string][]write{}, map[string][]int64{}
	lines := read(c, c.dir, "cache")
	for _, r := range lines {
		switch r.words[0] {
		case "wrote":
			writes[r.words[1]] = append(writes[r.words[1]], write{r.number(2), r.number(3)})
		case "unsure":
			unsure[r.words[1]] = append(unsure[r.words[1]], r.number(2))
		}
	}
	for _, w := range writes {
		slices.SortFunc(w, func(a, b write) int { return int(a.at - b.at) })
	}
	reads, stale := 0, 0
	for _, r := range lines {
		if r.words[0] != "read" {
			continue
		}
		reads++
		key, version, at := r.words[1], r.number(2), r.number(3)
		w := writes[key]
		i := sort.Search(len(w), func(i int) bool { return w[i].at > at-int64(staleBound) })
		if i == 0 || version >= w[i-1].version {
			continue
		}
		if slices.ContainsFunc(unsure[key], func(u int64) bool { return u < at && at < u+int64(unsureFor) }) {
			continue
		}
		stale++
	}
	c.figure("%d reads, %d older than %v", reads, stale, staleBound)
	if stale > 0 || reads == 0 {
		c.Errorf("cache: %d of %d reads returned what had been replaced for more than %v", stale, reads, staleBound)
	}
}
