package cache

import (
	"context"
	"errors"
	"fmt"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// Of a filter: how many items it is reserved for, at which rate of false positives,
// and how many are asked for at once.
const (
	filterItems = 100_000
	filterRate  = 0.01
	filterBatch = 100
)

// filter measures the Bloom filter, which has no peer that works on every server.
func filter() frame.Table {
	return frame.Table{
		Name: fmt.Sprintf("one item of a Bloom filter, in batches of %d", filterBatch), Redis: true,
		Contenders: []frame.Contender{
			{Name: "cohort, add", Open: filterCell(cache.Bloom.Add)},
			{Name: "cohort, exists", Open: filterCell(cache.Bloom.Exists)},
		},
	}
}

type filterOp func(b cache.Bloom, ctx context.Context, name string, items ...string) ([]bool, error)

func filterCell(op filterOp) func(context.Context, *frame.Env) (frame.Cell, error) {
	return func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
		client, err := openClient(env.RedisURL)
		if err != nil {
			return frame.Cell{}, err
		}
		b, err := cacheredis.NewBloom(client, cacheredis.StructureOptions{})
		if err == nil {
			err = b.Reserve(ctx, "filter", filterItems, filterRate)
		}
		if err != nil {
			return frame.Cell{}, errors.Join(err, client.Close())
		}
		next := 0
		return frame.Cell{Close: func() { _ = client.Close() }, Run: func(ctx context.Context, n int, _ *frame.Meter) error {
			for done := 0; done < n; done += filterBatch {
				items := make([]string, min(filterBatch, n-done))
				for i := range items {
					items[i] = fmt.Sprint("item", next)
					next++
				}
				if _, err := op(b, ctx, "filter", items...); err != nil {
					return err
				}
			}
			return nil
		}}, nil
	}
}
