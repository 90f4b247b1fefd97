package queue

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

var (
	_ Backend         = (*MemoryStore)(nil)
	_ Waiter          = (*MemoryStore)(nil)
	_ InspectBackend  = (*MemoryStore)(nil)
	_ ControlBackend  = (*MemoryStore)(nil)
	_ RecordBackend   = (*MemoryStore)(nil)
	_ ScheduleBackend = (*MemoryStore)(nil)
)

// MemoryOptions tune a memory queue. The zero value of each field means its
// default.
type MemoryOptions struct {
	Options
	// DedupeFor is how long the ID of an ended message is remembered, if its
	// caller chose it. Default 1 h.
	DedupeFor time.Duration
	// MaxLen bounds the messages that are stored; 0 = no bound.
	MaxLen int
	// DeadLimit and DeadFor bound the dead messages that are kept. Default
	// 100 000 and 30 days.
	DeadLimit int
	DeadFor   time.Duration
	// ExpiredToDead keeps expired messages among the dead instead of dropping
	// them.
	ExpiredToDead bool

	// Snapshot is a file that receives all messages when the queue closes, and
	// gives them back at the next start. After a crash those of the last start,
	// or of the last SnapshotEvery, are offered again. One process at a time can
	// use a file.
	Snapshot      string
	SnapshotEvery time.Duration
}

func (o MemoryOptions) withDefaults() (MemoryOptions, error) {
	o.DedupeFor = or(o.DedupeFor, time.Hour)
	o.DeadLimit = or(o.DeadLimit, 100_000)
	o.DeadFor = or(o.DeadFor, 30*24*time.Hour)
	var errs []error
	if o.DedupeFor < 0 || o.DeadFor < 0 || o.SnapshotEvery < 0 {
		errs = append(errs, fmt.Errorf("%w: a duration is negative", ErrInvalid))
	}
	if o.MaxLen < 0 || o.DeadLimit < 0 {
		errs = append(errs, fmt.Errorf("%w: MaxLen is %d, DeadLimit is %d", ErrInvalid, o.MaxLen, o.DeadLimit))
	}
	if o.SnapshotEvery > 0 && o.Snapshot == "" {
		errs = append(errs, fmt.Errorf("%w: SnapshotEvery without Snapshot", ErrInvalid))
	}
	return o, errors.Join(errs...)
}

// MemoryStore is the Backend of [Memory]. Its clock is the time package, so
// testing/synctest drives it.
type MemoryStore struct {
	opts MemoryOptions
	wake chan struct{} // at most one token: a claim may succeed
	file *snapshotFile

	mu       sync.Mutex
	records  map[ID]*record
	ready    [levels]list.List
	solo     list.List
	leased   timeline // by end of lease
	delayed  timeline // by due time
	dead     timeline // by time of death
	finished timeline // by when they are forgotten

	keys       map[string]*line
	uniques    map[string]hold
	remembered map[ID]time.Time
	forget     []ID // remembered, oldest first
	ticks      map[string]time.Time
	consumers  map[string]time.Time
	receipts   uint64
	waiting    int // behind their keys
	paused     time.Time
	rate       Rate
	tokens     bucket
	accounts   Accounts
}

const levels = 4

// record is a stored message.
type record struct {
	Envelope
	state     State
	enqueued  time.Time
	deadline  time.Time // of the start; zero = none
	failures  int
	losses    int // of workers, without an end of its own: 1 = suspect, 2 = runs alone
	lastError string
	receipt   Receipt
	cancelled bool // in flight
	progress  []byte
	result    []byte

	due     time.Time // place in a timeline
	seq     uint64    // orders equal due times
	index   int
	element *list.Element // place in a list
}

// suspectLosses is the number of lost leases after which a message runs alone.
const suspectLosses = 2

// line is the queue of one key.
type line struct {
	holder  *record // at the head: ready, in flight or about to be retried
	waiting list.List
}

// hold is the claim of a unique key.
type hold struct {
	id    ID
	until time.Time
}

// NewMemoryStore returns an empty store, or the one that the snapshot holds.
func NewMemoryStore(opts MemoryOptions) (*MemoryStore, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("queue: %w", err)
	}
	s := &MemoryStore{
		opts:       opts,
		wake:       make(chan struct{}, 1),
		records:    make(map[ID]*record),
		keys:       make(map[string]*line),
		uniques:    make(map[string]hold),
		remembered: make(map[ID]time.Time),
		ticks:      make(map[string]time.Time),
		consumers:  make(map[string]time.Time),
	}
	if opts.Snapshot != "" {
		if err := s.openSnapshot(); err != nil {
			return nil, fmt.Errorf("queue: snapshot: %w", err)
		}
	}
	return s, nil
}

// Capabilities implements Backend.
func (s *MemoryStore) Capabilities() Capabilities {
	return Capabilities{Can: CanAll, Levels: levels}
}

// Close implements Backend.
func (s *MemoryStore) Close(context.Context) error {
	if s.file == nil {
		return nil
	}
	return s.closeSnapshot()
}

// Wait implements Waiter.
func (s *MemoryStore) Wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-s.wake:
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *MemoryStore) pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.records) - s.dead.Len() - s.finished.Len()
}

// newReceipt returns a receipt that never recurs. The caller holds mu.
func (s *MemoryStore) newReceipt(id ID) Receipt {
	s.receipts++
	return Receipt(string(id[:]) + strconv.FormatUint(s.receipts, 36))
}

// find returns the record that r leases. The caller holds mu.
func (s *MemoryStore) find(r Receipt) *record {
	if len(r) < len(ID{}) {
		return nil
	}
	rec := s.records[ID([]byte(r[:16]))]
	if rec == nil || rec.state != StateInFlight || rec.receipt != r {
		return nil
	}
	return rec
}
