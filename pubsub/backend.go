package pubsub

import (
	"context"
	"time"
)

// Backend stores entries in logs, called buses, and follows them; [NewNode] makes a
// PubSub of it. It only does round trips: what entries mean, who gets them, and
// all queueing stand in this package. All methods are safe for concurrent use.
type Backend interface {
	// Buses is the number of logs, at least 1. It never changes.
	Buses() int
	// Append stores entries at the end of a bus, in order, all or none, and hands
	// them to every listener. It may store them again after a failure within ctx:
	// repeats are recognised. It returns the place of each entry and how many
	// replicas have them, after it waited for the number asked for. An error wraps
	// ErrUncertain unless nothing was stored.
	Append(ctx context.Context, bus int, entries [][]byte, replicas int) (places []Mark, confirmed int, err error)
	// Listen follows a bus. It returns once the position is fixed: every entry
	// stored after that reaches the feed or is covered by a Gap. node is the name
	// by which Members knows the listener.
	Listen(ctx context.Context, bus int, node string, feed Feed) (Listener, error)
	// Read returns a Pager that begins after a place, the zero Mark for the oldest
	// entry. Only Entries and Gap of the feed are called, by Next.
	Read(bus int, after Mark, feed Feed) Pager
	// Members returns the nodes that listen to a bus. It fails if entries could
	// not be stored now.
	Members(ctx context.Context, bus int) ([]string, error)
	// Close ends everything but what was borrowed. The node's listeners are
	// closed before.
	Close(ctx context.Context, node string) error
}

// Listener is a bus being followed.
type Listener interface {
	// Position is the place after the last entry handed to the feed. Before the
	// first entry it is where the listener began.
	Position() Mark
	Close(ctx context.Context) error
}

// Pager reads a bus page by page. One goroutine uses it at a time.
type Pager interface {
	// Next hands one page to the feed. more reports whether the log had more.
	Next(ctx context.Context) (more bool, err error)
	// Position is the place after the last entry handed to the feed.
	Position() Mark
	// Foreign is the number of entries that were skipped because nobody of this
	// package wrote them.
	Foreign() int64
}

// Feed is told what a bus brings. Calls never overlap and must not block.
type Feed struct {
	// Entries brings the next entries. The slice is the caller's again when it
	// returns; the data of the entries stays, and must not be changed.
	Entries func([]Entry)
	// Gap says that entries are missing at this place.
	Gap func(reason GapReason, missed int64, after, resume Mark)
	// Absent says that Members had forgotten the node.
	Absent func()
	// Stale says that the bus cannot be followed for now, Fresh that it is, and
	// that nothing stored before asked is still to come.
	Stale func(cause error)
	Fresh func(asked time.Time)
	// Foreign says how many entries were skipped in all, because nobody of this
	// package wrote them, and Repairs how often entries were read from the log
	// because the push had not brought them.
	Counts func(foreign, repairs int64)
}

// Entry is one element of a bus.
type Entry struct {
	N    int64
	ID   ID
	Data []byte
}
