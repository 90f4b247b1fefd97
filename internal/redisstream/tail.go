package redisstream

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/backoff"
)

// tailBlock is how long one read waits for entries.
const tailBlock = time.Second

// tail waits at the end of the log, in place of pushes, and has it asked for what
// came: a read alone would not tell from which server. It runs until Close.
func (r *Reader) tail(ctx context.Context) {
	r.subscribed() // fixes the position; nothing else is needed before
	select {
	case <-r.ready:
	case <-ctx.Done():
		return
	}
	for failures := 0; ctx.Err() == nil; {
		came, err := r.awaitEntry(ctx)
		switch {
		case err != nil && ctx.Err() == nil:
			r.fail(err)
			failures++
			_ = backoff.Sleep(ctx, r.retry.Delay(failures-1))
		case came:
			failures = 0
			if !r.catchUp(ctx) { // the read went to another server than the question
				_ = backoff.Sleep(ctx, r.retry.Delay(0))
			}
		default:
			failures = 0
		}
	}
}

// awaitEntry waits for an entry beyond those that are known.
func (r *Reader) awaitEntry(ctx context.Context) (came bool, err error) {
	r.mu.Lock()
	after := r.seq.scan.String()
	r.mu.Unlock()
	streams, err := r.client.XRead(ctx, &redis.XReadArgs{
		Streams: []string{r.stream.log, after},
		Count:   1,
		Block:   tailBlock,
	}).Result()
	if errors.Is(err, redis.Nil) {
		return false, nil // nothing came in
	}
	return len(streams) > 0, err
}

// catchUp returns once the log was asked and all that it had is handed on, and
// reports whether it had something.
func (r *Reader) catchUp(ctx context.Context) bool {
	r.mu.Lock()
	before := r.seq.scan
	r.seq.asking = true
	select {
	case <-r.inStep: // of an earlier question
	default:
	}
	r.mu.Unlock()
	r.Audit()
	select {
	case <-r.inStep:
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seq.scan != before
}
