package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

// Redrive implements Controller. It walks the dead set in pages; what was
// redriven leaves the set, so the offset only grows by what stayed.
func (q *core) Redrive(ctx context.Context, opts RedriveOptions) (int, error) {
	if !opts.Rate.valid() || opts.Max < 0 {
		return 0, q.fail("redrive", fmt.Errorf("%w: Max is %d, Rate is %+v", ErrInvalid, opts.Max, opts.Rate))
	}
	tokens := newBucket(opts.Rate)
	total, offset := 0, 0
	var errs []error
	for {
		page, err := q.List(ctx, ListRequest{State: StateDead, Offset: offset, Limit: MaxBatch})
		if err != nil {
			return total, err
		}
		ids, seen, err := chooseDead(ctx, page.Messages, opts, total, &tokens)
		if err != nil {
			return total, q.fail("redrive", err)
		}
		moved, err := q.redrive(ctx, ids, &errs)
		total += moved
		if err != nil {
			return total, err
		}
		offset += seen - moved
		all := seen == len(page.Messages) && !page.More
		if all || opts.Max > 0 && total >= opts.Max {
			return total, q.fail("redrive", errors.Join(errs...))
		}
	}
}

// redrive moves some, adds why others stayed to errs, and returns how many moved.
func (q *core) redrive(ctx context.Context, ids []ID, errs *[]error) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	failed, err := inspect(ctx, q, "redrive", q.controller(CanKeepDead, 0), func(ctx context.Context, b ControlBackend) ([]error, error) {
		return b.Redrive(ctx, ids)
	})
	if err != nil {
		return 0, err
	}
	moved := len(ids)
	for _, err := range failed {
		if err != nil {
			*errs = append(*errs, err)
			moved--
		}
	}
	return moved, nil
}

// chooseDead picks from a page what may go now, after a wait for the rate, and
// says how much of the page it has seen.
func chooseDead(ctx context.Context, page []Info, opts RedriveOptions, total int, tokens *bucket) (ids []ID, seen int, err error) {
	room := len(page)
	if opts.Max > 0 {
		room = min(room, opts.Max-total)
	}
	n, wait := tokens.limit(room, time.Now())
	for n == 0 && room > 0 {
		if err := backoff.Sleep(ctx, wait); err != nil {
			return nil, 0, err
		}
		n, wait = tokens.limit(room, time.Now())
	}
	for _, info := range page {
		if len(ids) == n {
			break
		}
		seen++
		if opts.Filter == nil || opts.Filter(info) {
			ids = append(ids, info.ID)
		}
	}
	tokens.take(len(ids))
	return ids, seen, nil
}
