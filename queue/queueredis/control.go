package queueredis

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Cancel implements queue.ControlBackend.
func (s *store) Cancel(ctx context.Context, id queue.ID) error {
	reply, err := s.run(ctx, s.scripts.cancel, id[:], millis(s.opts.DedupeFor))
	if err != nil {
		return err
	}
	if n, ok := reply.(int64); !ok || n != 1 {
		return queue.ErrNotFound
	}
	return nil
}

// Redrive implements queue.ControlBackend.
func (s *store) Redrive(ctx context.Context, ids []queue.ID) ([]error, error) {
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i][:]
	}
	reply, err := s.run(ctx, s.scripts.redrive, args...)
	if err != nil {
		return nil, err
	}
	return refusals(reply, len(ids))
}

// Purge implements queue.ControlBackend.
func (s *store) Purge(ctx context.Context, state queue.State, limit int) (int, error) {
	code := codeOf(state)
	if code == "" || code == "l" || code == "g" {
		return 0, nil
	}
	reply, err := s.run(ctx, s.scripts.purge, code, limit, millis(s.opts.DedupeFor))
	if err != nil {
		return 0, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != 2 {
		return 0, errReply(reply)
	}
	n, ok := list[0].(int64)
	if !ok {
		return 0, errReply(reply)
	}
	return int(n), nil
}

// Pause implements queue.ControlBackend.
func (s *store) Pause(ctx context.Context, until time.Time) error {
	ms := int64(0)
	if !until.IsZero() {
		ms = until.UnixMilli()
	}
	_, err := s.run(ctx, s.scripts.pause, ms)
	return err
}

// Tick implements queue.ScheduleBackend.
func (s *store) Tick(ctx context.Context, schedule string, tick time.Time, e queue.Envelope) (queue.TickResult, error) {
	nonce := newNonce()
	args := []any{schedule, tick.UnixMilli(), nonce, s.opts.MaxLen, 0}
	args[4] = appendMessages(&args, []queue.Envelope{e}, nonce, false)
	reply, err := s.run(ctx, s.scripts.tick, args...)
	if err != nil {
		return queue.TickResult{}, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != 4 {
		return queue.TickResult{}, errReply(reply)
	}
	fired, ok := list[0].(int64)
	last, ok2 := list[1].(int64)
	early, ok3 := list[2].(int64)
	if !ok || !ok2 || !ok3 {
		return queue.TickResult{}, errReply(reply)
	}
	errs, err := refusals(list[3], 1)
	if err != nil {
		return queue.TickResult{}, err
	}
	res := queue.TickResult{Fired: fired == 1, Early: time.Duration(early) * time.Millisecond, Last: fromMillis(last)}
	if len(errs) > 0 {
		res.Err = errs[0]
	}
	return res, nil
}

// LastTick implements queue.ScheduleBackend.
func (s *store) LastTick(ctx context.Context, schedule string) (last, now time.Time, err error) {
	reply, err := s.run(ctx, s.scripts.last, schedule)
	if err != nil {
		return last, now, err
	}
	list, ok := reply.([]any)
	if !ok || len(list) != 2 {
		return last, now, errReply(reply)
	}
	lastMS, ok := list[0].(int64)
	nowMS, ok2 := list[1].(int64)
	if !ok || !ok2 {
		return last, now, errReply(reply)
	}
	return fromMillis(lastMS), fromMillis(nowMS), nil
}

// fromMillis is the zero time for 0.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
