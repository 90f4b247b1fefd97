package lock

import (
	"context"
	"time"
)

// A Backend keeps the state that the Lockers of several processes share: who
// has a name, who waits for it, and the fence. It only makes round trips; the
// Locker that [New] builds on it does everything else (options, local queueing,
// renewal, deadlines, Close). A third party adds a backend by implementing this
// interface and passing the suite of package locktest.
//
// A token stands for one tenure of one process: it is granted at most once, and
// every method is idempotent for it, so that a request whose answer got lost is
// sent again. All methods are safe for concurrent use.
type Backend interface {
	// Start gives the Backend the Locker that hears of its events and the
	// process that tokens begin with. It is called once, before all else.
	Start(process string, events Events) error

	// Acquire grants the claim if the name is free and nobody waits for it, or
	// if the token has it already, which then lasts for its TTL again and keeps
	// its fence. Otherwise, if wait is set, the token has a place in the queue
	// after this call, the one that it had before if it had one.
	Acquire(ctx context.Context, c Claim, wait bool) (Reply, error)

	// Extend makes the grant last for at least TTL from now. It never shortens
	// it and never creates one.
	Extend(ctx context.Context, c Claim) (Reply, error)

	// Release gives the name to the next in the queue if the token has it, and
	// else takes the token from the queue. It reports whether the token had the
	// name; a Backend that cannot tell because an earlier answer got lost
	// reports true as long as c.Deadline has not passed.
	Release(ctx context.Context, c Claim) (had bool, err error)

	// Inspect returns the state of name.
	Inspect(ctx context.Context, name string) (Info, error)

	// Close ends what the Backend runs. No event follows it.
	Close(ctx context.Context) error
}

// A Listener is a Backend whose events cost something before the first one can
// come. The Locker calls Listen when a waiter begins to wait behind a holder of
// its own process, who must hear that others wait; it neither blocks nor takes
// long.
type Listener interface{ Listen() }

// A Claim is what a Locker asks of a Backend for one tenure.
type Claim struct {
	Name     string
	Token    string        // TokenLen bytes of A-Z, a-z, 0-9, '-' and '_'
	TTL      time.Duration // whole milliseconds
	Replicas int           // acknowledgements that Acquire and Extend need
	Permits  int           // 0: a lock; else so many holders at once

	Fence    uint64    // of the grant, for Release
	Deadline time.Time // of the grant, for Release
}

// State is the outcome of a request for a Claim.
type State int

// The outcomes.
const (
	Granted State = iota + 1 // the token has the name
	Held                     // another token has it, or waits before this one
)

// A Reply answers Acquire and Extend.
type Reply struct {
	State   State
	Fence   uint64        // of the grant, without local turns; from Acquire
	Waiters int           // how many wait for the name
	Poll    time.Duration // Held: ask again after that time if no event came
	Sent    time.Time     // when the request that was answered was sent
}

// A Grant is an event: the queue has reached a token.
type Grant struct {
	Name    string
	Token   string
	Fence   uint64
	TTL     time.Duration // how long the grant lasts unless it is extended
	Waiters int
	Permits int
}

// Events are what a Backend tells its Locker. They are hints: a Locker that
// misses one finds out when it asks again. They do not block.
type Events interface {
	// Granted says that a token that waited has the name now.
	Granted(g Grant)
	// Contended says that another process waits for what token has.
	Contended(token string)
	// Missed says that events may have been lost until now: those who wait ask
	// again, those who hold and have waiters look whether others wait.
	Missed()
}
