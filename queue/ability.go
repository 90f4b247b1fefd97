package queue

import (
	"context"
	"time"
)

// InspectBackend is a Backend with the ability CanInspect, or with CanCount (Stats)
// and CanKeepDead (List and Get of dead messages). See [Inspector].
type InspectBackend interface {
	Stats(ctx context.Context) (Stats, error)
	List(ctx context.Context, req ListRequest) (Page, error)
	Get(ctx context.Context, id ID) (Info, error)
	Consumers(ctx context.Context) ([]ConsumerInfo, error)
}

// ControlBackend is a Backend with the abilities CanCancel, CanKeepDead,
// CanPurge and CanPause, or some of them. See [Controller].
type ControlBackend interface {
	Cancel(ctx context.Context, id ID) error
	// Redrive makes dead messages ready, as new; ErrNotFound for an ID that is
	// not dead, ErrDuplicate where its unique key was taken meanwhile.
	Redrive(ctx context.Context, ids []ID) ([]error, error)
	// Purge removes up to max messages of a state, or all of them at once, and says
	// how many.
	Purge(ctx context.Context, state State, max int) (int, error)
	// Pause stops claims until then: the zero time ends a pause, Forever has no
	// end.
	Pause(ctx context.Context, until time.Time) error
}

// RecordBackend is a Backend with the ability CanRecord.
type RecordBackend interface {
	SetProgress(ctx context.Context, r Receipt, progress []byte) error
}

// ScheduleBackend is a Backend with the ability CanSchedule.
type ScheduleBackend interface {
	// Tick enqueues m if tick is later than the last tick of the schedule and
	// not in the future of the store's clock, and records it, in one step.
	Tick(ctx context.Context, schedule string, tick time.Time, m Envelope) (TickResult, error)
	// LastTick returns the schedule's last tick, or the zero time, and the
	// store's time.
	LastTick(ctx context.Context, schedule string) (last, now time.Time, err error)
}

// TickResult says what became of a tick.
type TickResult struct {
	Fired bool
	// Early is how long the tick is still in the future.
	Early time.Duration
	// Last is the last recorded tick.
	Last time.Time
	// Err is why the message of a recorded tick was not stored (ErrDuplicate).
	Err error
}
