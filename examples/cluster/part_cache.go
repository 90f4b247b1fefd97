package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/rediskey"
)

// cachePart has every node change one record and read it through a cache. What a
// node reads must not be older than what any node had changed a second before.
func cachePart() Part {
	return Part{Name: "cache", Node: readThrough, Judge: judgeCache}
}

// staleBound is the MaxStaleness of the caches, the default.
const staleBound = time.Second

// reading is what a node has seen.
type reading struct{ Reads, Loads, Changes, Older int }

func readThrough(ctx context.Context, n *Node) error {
	c, err := n.Cache("show")
	if err != nil {
		return err
	}
	records, err := cache.Of(c, cache.JSON[int64](), cache.Policy{TTL: time.Minute})
	if err != nil {
		return err
	}
	source := rediskey.Join(n.Config().Namespace, exampleArea, "record", "")
	var r reading
	load := func(ctx context.Context, _ string) (int64, error) {
		r.Loads++
		v, err := n.Database.Get(ctx, source).Int64()
		if errors.Is(err, redis.Nil) {
			err = nil
		}
		return v, err
	}
	for every := time.Tick(20 * time.Millisecond); ; {
		select {
		case <-n.Finish:
			return n.Report("reading", r)
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-every:
		}
		if err := r.turn(ctx, n, records, source, load); err != nil {
			return err
		}
		n.Show(fmt.Sprintf("%d reads, %d loads", r.Reads, r.Loads))
	}
}

// turn changes the record now and then, waits for as long as another node may be
// behind, and reads.
func (r *reading) turn(
	ctx context.Context, n *Node, records *cache.Typed[int64], source string, load cache.Loader[int64],
) error {
	changed, err := n.Database.Incr(ctx, source).Result()
	if err != nil {
		return err
	}
	if _, err := records.Delete(ctx, "record"); err != nil {
		return err
	}
	r.Changes++
	for end := time.Now().Add(staleBound); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if _, err := records.GetOrLoad(ctx, "record", load); err != nil {
			return err
		}
		r.Reads++
	}
	got, err := records.GetOrLoad(ctx, "record", load)
	if err == nil && got < changed {
		r.Older++
	}
	return err
}

func judgeCache(rec Record) Verdict {
	var sum reading
	for _, report := range rec.Reports {
		var r reading
		if err := json.Unmarshal(report.Data, &r); err != nil {
			return Verdict{Text: "unreadable report"}
		}
		sum.Reads += r.Reads
		sum.Loads += r.Loads
		sum.Changes += r.Changes
		sum.Older += r.Older
	}
	return Verdict{
		Kept: sum.Older == 0 && sum.Reads > 0,
		Text: fmt.Sprintf("%d reads, %d loads and %d changes: %d values older than %v",
			sum.Reads, sum.Loads, sum.Changes, sum.Older, staleBound),
		Figures: map[string]any{"reads": sum.Reads, "loads": sum.Loads, "changes": sum.Changes, "older": sum.Older},
	}
}
