package queue

import (
	"context"
	"errors"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Redrive implements Controller. It walks the dead set in pages; what was
// redriven leaves the set, so the offset only grows by what stayed.
func (q *core) Redrive(ctx context.Context, opts RedriveOptions) (int, error) {
	get := func() (ControlBackend, error) { return q.controller(CanKeepDead) }
	tokens := newBucket(opts.Rate)
	total, offset := 0, 0
	var errs []error
	for {
		page, err := q.List(ctx, ListRequest{State: StateDead, Offset: offset, Limit: MaxBatch})
		if err != nil {
			return total, err
		}
		ids, err := q.chooseDead(ctx, page.Messages, opts, total, &tokens)
		if err != nil {
			return total, q.fail("redrive", err)
		}
		moved := 0
		if len(ids) > 0 {
			failed, err := inspect(ctx, q, "redrive", get, func(ctx context.Context, b ControlBackend) ([]error, error) {
				return b.Redrive(ctx, ids)
			})
			if err != nil {
				return total, err
			}
			errs = append(errs, failed...)
			moved = len(ids) - countErrors(failed)
		}
		total += moved
		offset += len(page.Messages) - moved
		if !page.More && len(ids) < MaxBatch || opts.Max > 0 && total >= opts.Max || len(page.Messages) == 0 {
			return total, q.fail("redrive", errors.Join(errs...))
		}
	}
}

// chooseDead picks from a page, and waits for the rate.
func (q *core) chooseDead(
	ctx context.Context, page []Info, opts RedriveOptions, total int, tokens *bucket,
) ([]ID, error) {
	var ids []ID
	for _, info := range page {
		if opts.Max > 0 && total+len(ids) >= opts.Max {
			break
		}
		if opts.Filter == nil || opts.Filter(info) {
			ids = append(ids, info.ID)
		}
	}
	for len(ids) > 0 {
		n, wait := tokens.limit(len(ids), time.Now())
		if n > 0 {
			tokens.take(n)
			return ids[:n], nil
		}
		if err := backoff.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func countErrors(errs []error) int {
	n := 0
	for _, err := range errs {
		if err != nil {
			n++
		}
	}
	return n
}
