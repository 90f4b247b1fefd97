// Package ids compares the making of unique numbers.
package ids

import (
	"context"
	"sync"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// Area returns the tables of unique numbers.
func Area() frame.Area {
	return frame.Area{
		Name: "ids",
		Peers: []string{
			"github.com/bwmarrin/snowflake",
			"github.com/sony/sonyflake/v2",
			"github.com/google/uuid",
		},
		Tables: []frame.Table{serial(), concurrent(), fill(), fleet(32).leases(20), fleet(1024).leases(2)},
	}
}

func serial() frame.Table {
	return frame.Table{
		Name: "one ID after the other",
		Note: "bwmarrin/snowflake and sonyflake have 21 bits of sequence, so that they never wait for " +
			"a millisecond; Wide63 has 17, and takes from MaxAhead what is more than 131 million IDs a second. " +
			"The last row is the processor's price for a shared counter.",
		Contenders: []frame.Contender{
			{Name: "cohort `Next`, Wide63", Open: wide63},
			{Name: "bwmarrin/snowflake, 1+21 bits", Must: 6, Open: bwmarrin},
			{Name: "sonyflake v2, 1+21 bits, 1 ms", Open: sony},
			{Name: "google/uuid v7", Open: uuid7},
			{Name: "an atomic add", Open: atomicAdd},
		},
	}
}

func concurrent() frame.Table {
	const goroutines = 32
	return frame.Table{
		Name: "one ID, 32 goroutines",
		Contenders: []frame.Contender{
			{Name: "cohort `Next`, Wide63", Open: shared(goroutines, wide63)},
			{Name: "bwmarrin/snowflake, 1+21 bits", Must: 3, Open: shared(goroutines, bwmarrin)},
			{Name: "sonyflake v2, 1+21 bits, 1 ms", Open: shared(goroutines, sony)},
			{Name: "google/uuid v7", Open: shared(goroutines, uuid7)},
			{Name: "an atomic add", Open: shared(goroutines, atomicAdd)},
		},
	}
}

func fill() frame.Table {
	return frame.Table{
		Name: "one ID, as one of 256 in a row",
		Note: "Both with 1+21 bits, because a row at a time reaches the limit of Wide63, 131 million IDs a second.",
		Contenders: []frame.Contender{
			{Name: "cohort `Fill(256)`", Open: row},
			{Name: "cohort `Next`", Must: 1 / 0.6, Open: next},
		},
	}
}

// shared makes goroutines do the work of one.
func shared(goroutines int, open func(context.Context, *frame.Env) (frame.Cell, error)) func(context.Context, *frame.Env) (frame.Cell, error) {
	return func(ctx context.Context, env *frame.Env) (frame.Cell, error) {
		cell, err := open(ctx, env)
		one := cell.Run
		cell.Run = func(ctx context.Context, n int, m *frame.Meter) error {
			errs := make(chan error, goroutines)
			var wg sync.WaitGroup
			for range goroutines {
				wg.Go(func() { errs <- one(ctx, (n+goroutines-1)/goroutines, m) })
			}
			wg.Wait()
			for range goroutines {
				if err := <-errs; err != nil {
					return err
				}
			}
			return nil
		}
		return cell, err
	}
}
