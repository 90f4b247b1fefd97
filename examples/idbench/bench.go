package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// A result is one line of the table.
type result struct {
	Layout      string  `json:"layout"`
	Goroutines  int     `json:"goroutines"`
	Batch       int     `json:"batch"`
	IDs         int64   `json:"ids"`
	PerSecond   float64 `json:"per_second"`
	Limit       float64 `json:"limit_per_second"` // of the layout
	Nanoseconds float64 `json:"ns_per_id"`
	Allocations float64 `json:"allocations_per_id"`
	Waits       int64   `json:"waits"` // for the next tick
}

func bench(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("idbench", flag.ContinueOnError)
	layouts := flags.String("layout", "compat53,wide63", "layouts, separated by commas")
	goroutines := flags.String("goroutines", "1,8", "numbers of goroutines")
	batches := flags.String("batch", "1,256", "IDs in a call")
	duration := flags.Duration("duration", time.Second, "of each run")
	asJSON := flags.Bool("json", false, "write JSON instead of a table")
	if err := flags.Parse(args); err != nil {
		return err
	}
	goroutineCounts, err1 := parseCounts("goroutines", *goroutines)
	batchSizes, err2 := parseCounts("batch", *batches)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if *duration <= 0 {
		return fmt.Errorf("-duration is %v, want more than 0", *duration)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unknown argument %q", flags.Arg(0))
	}
	var results []result
	for name := range strings.SplitSeq(*layouts, ",") {
		layout, err := parseLayout(name)
		if err != nil {
			return err
		}
		for _, g := range goroutineCounts {
			for _, b := range batchSizes {
				r := result{Layout: name, Goroutines: g, Batch: b, Limit: limit(layout)}
				if err := r.measure(ctx, layout, *duration); err != nil {
					return err
				}
				results = append(results, r)
			}
		}
	}
	return report(out, results, *asJSON)
}

// measure makes IDs for as long as duration.
func (r *result) measure(ctx context.Context, layout snowflake.Layout, duration time.Duration) (err error) {
	numbers, err := workerid.NewMemory(workerid.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, numbers.Close(context.WithoutCancel(ctx))) }()
	lease, err := numbers.Acquire(ctx, workerid.Request{Holder: "idbench"})
	if err != nil {
		return err
	}
	ids, err := snowflake.New(lease, snowflake.Options{Layout: layout})
	if err != nil {
		return err
	}
	defer ids.Close()

	before := mallocs()
	runCtx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	var made atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, r.Goroutines)
	begin := time.Now()
	for i := range r.Goroutines {
		wg.Go(func() {
			n, err := work(runCtx, ids, r.Batch)
			made.Add(n)
			if runCtx.Err() == nil {
				errs[i] = err
			}
		})
	}
	wg.Wait()
	elapsed := time.Since(begin)
	r.IDs, r.Waits = made.Load(), ids.Stats().Waits
	r.PerSecond = float64(r.IDs) / elapsed.Seconds()
	r.Nanoseconds = float64(elapsed.Nanoseconds()) / float64(max(r.IDs, 1))
	r.Allocations = float64(mallocs()-before) / float64(max(r.IDs, 1))
	return errors.Join(errors.Join(errs...), ctx.Err())
}

// work makes IDs until ctx ends, which it asks only now and then: a few at least.
func work(ctx context.Context, ids *snowflake.Generator, batch int) (made int64, err error) {
	const between = 1 << 14
	row := make([]snowflake.ID, batch)
	for made == 0 || ctx.Err() == nil {
		for done := 0; done < between; done += batch {
			if batch == 1 {
				_, err = ids.Next(ctx)
			} else {
				err = ids.Fill(ctx, row)
			}
			if err != nil {
				return made, err
			}
			made += int64(batch)
		}
	}
	return made, nil
}

func parseCounts(name, list string) ([]int, error) {
	var counts []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("-%s is %q, want numbers from 1 on, separated by commas", name, list)
		}
		counts = append(counts, n)
	}
	return counts, nil
}

func mallocs() uint64 {
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.Mallocs
}
