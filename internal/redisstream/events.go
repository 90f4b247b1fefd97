package redisstream

import "time"

// Events are told what a Reader finds. Calls never overlap, and their order is
// the order of the log. The functions must not block, nor call the Reader. Only
// Entries and Gap are required.
type Events struct {
	// Entries brings the entries that follow those of the call before.
	Entries func([]Entry)
	// Gap says that entries are missing at this place.
	Gap func(Gap)
	// Fresh says that the log, when asked at the given time of the monotonic
	// clock, had no entry that is not handed on by now. at.Run is the server that
	// answered.
	Fresh func(asked time.Time, at Cursor)
	// Stale says that the reader is cut off, for now: pushes or answers fail.
	Stale func(cause error)
	// Server says that another server than before answers, also for the first
	// one. It comes before all else that follows from its answer.
	Server func(run string)
	// Absent says that the reader's member had been forgotten by the others. It
	// comes before all else that follows from the same answer.
	Absent func()
}

// withDefaults fills what the reader then calls without a look.
func (e Events) withDefaults() Events {
	if e.Fresh == nil {
		e.Fresh = func(time.Time, Cursor) {}
	}
	if e.Stale == nil {
		e.Stale = func(error) {}
	}
	if e.Server == nil {
		e.Server = func(string) {}
	}
	if e.Absent == nil {
		e.Absent = func() {}
	}
	return e
}
