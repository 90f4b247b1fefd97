package snowflake_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

var _ workerid.Worker = (*fakeWorker)(nil)

// fakeWorker is a leased number whose clock, window and end the test decides. Its
// clock is the time package's plus an offset.
type fakeWorker struct {
	id     int
	offset atomic.Int64 // of the clock, a time.Duration
	ctx    context.Context
	cancel context.CancelCauseFunc
	looks  atomic.Int64 // at the clock

	mu      sync.Mutex
	window  workerid.Window
	moved   chan struct{}
	cursors map[workerid.Grid]*workerid.Cursor
}

// newWorker returns a number with a window from now until an hour from now.
func newWorker(id int, offset time.Duration) *fakeWorker {
	f := &fakeWorker{id: id, cursors: map[workerid.Grid]*workerid.Cursor{}}
	f.offset.Store(int64(offset))
	f.ctx, f.cancel = context.WithCancelCause(context.Background())
	f.set(f.time(), f.time().Add(time.Hour))
	return f
}

// time is the process clock.
func (f *fakeWorker) time() time.Time {
	return time.UnixMilli(time.Now().Add(time.Duration(f.offset.Load())).UnixMilli())
}

// set replaces the window.
func (f *fakeWorker) set(start, mark time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.moved != nil {
		close(f.moved)
	}
	f.moved = make(chan struct{})
	f.window = workerid.Window{Start: start.UnixMilli(), Mark: mark.UnixMilli(), Moved: f.moved}
}

// renew moves the mark alone.
func (f *fakeWorker) renew(mark time.Time) { f.set(time.UnixMilli(f.Window().Start), mark) }

// end seals the number and returns the largest final counter.
func (f *fakeWorker) end(cause error) (final uint64) {
	f.cancel(cause)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cursors {
		final = max(final, c.Seal())
	}
	return final
}

func (f *fakeWorker) ID() int                  { return f.id }
func (f *fakeWorker) Context() context.Context { return f.ctx }
func (f *fakeWorker) MaxTick() time.Duration   { return time.Second }
func (f *fakeWorker) MaxAhead() time.Duration  { return time.Second + time.Microsecond }
func (f *fakeWorker) Now() int64               { f.looks.Add(1); return f.time().UnixMilli() }

func (f *fakeWorker) Window() workerid.Window {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.window
}

func (f *fakeWorker) Cursor(grid workerid.Grid) *workerid.Cursor {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cursors[grid] == nil {
		f.cursors[grid] = new(workerid.Cursor)
	}
	return f.cursors[grid]
}

// tiny is a layout of 16 IDs a second, from the second at which bubbles begin.
func tiny() snowflake.Layout {
	return snowflake.Layout{Epoch: bubbleStart, Tick: time.Second, TimeBits: 32, WorkerBits: 5, SequenceBits: 4}
}

// bubbleStart is 2000-01-01T00:00:00Z, where time in a synctest bubble begins.
const bubbleStart = 946684800000

func generator(t testing.TB, w workerid.Worker, opts snowflake.Options) *snowflake.Generator {
	t.Helper()
	g, err := snowflake.New(w, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// next returns n IDs, which must come without waiting.
func next(t testing.TB, g *snowflake.Generator, n int) []snowflake.ID {
	t.Helper()
	ids := make([]snowflake.ID, n)
	for i := range ids {
		id, err := g.TryNext()
		if err != nil {
			t.Fatalf("ID %d of %d: %v", i, n, err)
		}
		ids[i] = id
	}
	return ids
}

// timeOf returns the time in id.
func timeOf(t testing.TB, l snowflake.Layout, id snowflake.ID) time.Time {
	t.Helper()
	p, err := l.Decompose(id)
	if err != nil {
		t.Fatal(err)
	}
	return p.Time
}

// ledger fails a test that makes an ID twice.
type ledger map[snowflake.ID]bool

func (l ledger) add(t testing.TB, ids ...snowflake.ID) {
	t.Helper()
	for _, id := range ids {
		if l[id] {
			t.Fatalf("ID %d was made twice", id)
		}
		l[id] = true
	}
}
