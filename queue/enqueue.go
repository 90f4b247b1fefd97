package queue

import (
	"context"
	"errors"
)

// Enqueue implements Queue.
func (q *core) Enqueue(ctx context.Context, m Message) (ID, error) {
	leave, err := q.life.Enter()
	if err != nil {
		return ID{}, q.fail("enqueue", err)
	}
	defer leave()
	e, err := q.admit(m)
	if err != nil {
		return e.ID, q.fail("enqueue", err)
	}
	errs, err := q.flushes.join(ctx, []Envelope{e})
	if err == nil && errs != nil {
		err = errs[0]
	}
	q.opts.Hooks.enqueued(ctx, &e, err)
	return e.ID, q.fail("enqueue", err)
}

// EnqueueMany implements Queue.
func (q *core) EnqueueMany(ctx context.Context, messages []Message) ([]Result, error) {
	leave, err := q.life.Enter()
	if err != nil {
		return nil, q.fail("enqueue", err)
	}
	defer leave()
	results := make([]Result, len(messages))
	chunk := make([]Envelope, 0, min(len(messages), MaxBatch))
	places := make([]int, 0, cap(chunk)) // of the chunk's messages in results
	bytes := 0
	flush := func() {
		q.enqueueChunk(ctx, chunk, places, results)
		chunk, places, bytes = make([]Envelope, 0, cap(chunk)), places[:0], 0
	}
	for i, m := range messages {
		e, err := q.admit(m)
		results[i] = Result{ID: e.ID, Err: err}
		if err != nil {
			continue
		}
		size := e.size()
		if len(chunk) == MaxBatch || len(chunk) > 0 && bytes+size > MaxBatchBytes {
			flush()
		}
		chunk, places, bytes = append(chunk, e), append(places, i), bytes+size
	}
	if len(chunk) > 0 {
		flush()
	}
	return results, q.fail("enqueue", joinResults(results))
}

func (q *core) enqueueChunk(ctx context.Context, chunk []Envelope, places []int, results []Result) {
	errs, err := q.flushes.join(ctx, chunk)
	for i, place := range places {
		switch {
		case err != nil:
			results[place].Err = err
		case errs != nil:
			results[place].Err = errs[i]
		}
		q.opts.Hooks.enqueued(ctx, &chunk[i], results[place].Err)
	}
}

// admit checks a message before it joins a batch, so that a bad one spoils no
// other.
func (q *core) admit(m Message) (Envelope, error) {
	e, err := m.envelope(q.opts.MaxPayload)
	if err != nil {
		return e, err
	}
	return e, q.require(e.needs())
}

// joinResults joins the different errors of results, each once.
func joinResults(results []Result) error {
	var errs []error
	seen := make(map[string]bool)
	for _, r := range results {
		if r.Err != nil && !seen[r.Err.Error()] && len(errs) < 10 {
			seen[r.Err.Error()] = true
			errs = append(errs, r.Err)
		}
	}
	return errors.Join(errs...)
}
