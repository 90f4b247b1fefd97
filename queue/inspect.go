package queue

import (
	"context"
	"fmt"
	"time"
)

// inspector returns the backend as an InspectBackend with the ability c, or with the
// lesser one that is enough for the request; 0 if there is none.
func (q *core) inspector(enough Capability) func() (InspectBackend, error) {
	return func() (InspectBackend, error) { return able[InspectBackend](q, CanInspect, enough) }
}

// controller is inspector for a ControlBackend.
func (q *core) controller(c, enough Capability) func() (ControlBackend, error) {
	return func() (ControlBackend, error) { return able[ControlBackend](q, c, enough) }
}

func able[B any](q *core, c, enough Capability) (B, error) {
	b, ok := q.backend.(B)
	switch {
	case !ok:
		return b, fmt.Errorf("%w: %v", ErrUnsupported, c)
	case enough != 0 && q.caps.Can.Has(enough):
		return b, nil
	}
	return b, q.require(c)
}

// inspect runs one request to the backend, with the queue's own checks around it.
func inspect[B, T any](
	ctx context.Context, q *core, op string, get func() (B, error), call func(ctx context.Context, b B) (T, error),
) (T, error) {
	var none T
	leave, err := q.life.Enter()
	if err != nil {
		return none, q.fail(op, err)
	}
	defer leave()
	b, err := get()
	if err != nil {
		return none, q.fail(op, err)
	}
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	v, err := call(ctx, b)
	return v, q.fail(op, err)
}

// Stats implements Inspector.
func (q *core) Stats(ctx context.Context) (Stats, error) {
	return inspect(ctx, q, "stats", q.inspector(CanCount), func(ctx context.Context, b InspectBackend) (Stats, error) {
		return b.Stats(ctx)
	})
}

// List implements Inspector.
func (q *core) List(ctx context.Context, req ListRequest) (Page, error) {
	var enough Capability
	if req.State == StateDead {
		enough = CanKeepDead
	}
	return inspect(ctx, q, "list", q.inspector(enough), func(ctx context.Context, b InspectBackend) (Page, error) {
		req.Limit = or(req.Limit, 100)
		if req.Limit < 0 || req.Limit > MaxBatch || req.Offset < 0 {
			return Page{}, fmt.Errorf("%w: Offset is %d, Limit is %d", ErrInvalid, req.Offset, req.Limit)
		}
		return b.List(ctx, req)
	})
}

// Get implements Inspector.
func (q *core) Get(ctx context.Context, id ID) (Info, error) {
	return inspect(ctx, q, "get", q.inspector(CanKeepDead), func(ctx context.Context, b InspectBackend) (Info, error) {
		return b.Get(ctx, id)
	})
}

// Consumers implements Inspector.
func (q *core) Consumers(ctx context.Context) ([]ConsumerInfo, error) {
	return inspect(ctx, q, "consumers", q.inspector(0), func(ctx context.Context, b InspectBackend) ([]ConsumerInfo, error) {
		return b.Consumers(ctx)
	})
}

// Pause implements Controller.
func (q *core) Pause(ctx context.Context, until time.Time) error {
	if until.IsZero() {
		until = Forever()
	}
	return q.pause(ctx, "pause", until)
}

// Resume implements Controller.
func (q *core) Resume(ctx context.Context) error { return q.pause(ctx, "resume", time.Time{}) }

func (q *core) pause(ctx context.Context, op string, until time.Time) error {
	_, err := inspect(ctx, q, op, q.controller(CanPause, 0), func(ctx context.Context, b ControlBackend) (struct{}, error) {
		return struct{}{}, b.Pause(ctx, until)
	})
	return err
}

// Cancel implements Controller.
func (q *core) Cancel(ctx context.Context, id ID) error {
	_, err := inspect(ctx, q, "cancel", q.controller(CanCancel, CanKeepDead), func(ctx context.Context, b ControlBackend) (struct{}, error) {
		return struct{}{}, b.Cancel(ctx, id)
	})
	return err
}

// Purge implements Controller.
func (q *core) Purge(ctx context.Context, states ...State) (int, error) {
	if len(states) == 0 {
		states = []State{StateReady, StateDelayed, StateDead, StateFinished}
	}
	for _, state := range states { // all are checked before one is removed
		if _, err := q.purger(state)(); err != nil {
			return 0, q.fail("purge", err)
		}
	}
	total := 0
	for _, state := range states {
		for {
			n, err := inspect(ctx, q, "purge", q.purger(state), func(ctx context.Context, b ControlBackend) (int, error) {
				return b.Purge(ctx, state, MaxBatch)
			})
			total += n
			if err != nil {
				return total, err
			}
			if n == 0 {
				break
			}
		}
	}
	return total, nil
}

// purger returns the backend if it can remove messages of a state.
func (q *core) purger(state State) func() (ControlBackend, error) {
	need, enough := CanPurge|CanInspect, Capability(0)
	if state == StateReady {
		need = CanPurge
	}
	if state == StateDead {
		enough = CanKeepDead
	}
	return q.controller(need, enough)
}
