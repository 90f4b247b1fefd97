package workerid_test

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// backend is a Memory whose round trips can be disturbed.
type backend struct {
	workerid.Memory

	down    atomic.Bool // requests get lost
	deaf    atomic.Bool // replies get lost
	renewed atomic.Int64
}

var errLine = errors.New("line is down")

// trip runs f as a round trip that takes a millisecond.
func (b *backend) trip(ctx context.Context, f func() error) error {
	time.Sleep(time.Millisecond)
	if b.down.Load() {
		<-ctx.Done()
		return errLine
	}
	err := f()
	if b.deaf.Load() {
		<-ctx.Done()
		return errLine
	}
	return err
}

func (b *backend) Acquire(ctx context.Context, r workerid.AcquireRequest) (g workerid.Grant, err error) {
	err = b.trip(ctx, func() (err error) { g, err = b.Memory.Acquire(ctx, r); return err })
	return g, err
}

func (b *backend) Renew(ctx context.Context, r workerid.RenewRequest) (g workerid.Grant, err error) {
	b.renewed.Add(1)
	err = b.trip(ctx, func() (err error) { g, err = b.Memory.Renew(ctx, r); return err })
	return g, err
}

func (b *backend) Release(ctx context.Context, r workerid.ReleaseRequest) error {
	return b.trip(ctx, func() error { return b.Memory.Release(ctx, r) })
}

func open(t *testing.T, b workerid.Backend, opts workerid.Options) workerid.Allocator {
	t.Helper()
	a, err := workerid.New(b, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeWithin(t, a, time.Minute) })
	return a
}

// closeWithin is for allocators whose backend may be down.
func closeWithin(t *testing.T, a workerid.Allocator, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	began := time.Now()
	_ = a.Close(ctx)
	if took := time.Since(began); took > d+100*time.Millisecond {
		t.Errorf("Close took %v, its ctx allowed %v", took, d)
	}
}

func acquire(t *testing.T, a workerid.Allocator) *workerid.Lease {
	t.Helper()
	l, err := a.Acquire(t.Context(), workerid.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fresh are options for a Memory, which nobody else knows.
func fresh() workerid.Options { return workerid.Options{Count: 1, Fresh: true} }

// TestRenewal watches a lease for an hour: it is renewed every ten seconds or so,
// its window never has less than half the horizon left, and each change is told.
func TestRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		l := acquire(t, open(t, b, fresh()))
		for began := time.Now(); time.Since(began) < time.Hour; {
			w := l.Window()
			if left := w.Mark - l.Now(); left < 12_000 || left > 25_000 {
				t.Fatalf("%d ms are left in the window, want 12 to 25 s", left)
			}
			<-w.Moved
			if next := l.Window(); next.Mark <= w.Mark || next.Start != w.Start {
				t.Fatalf("window went from %v to %v", w, next)
			}
		}
		if n := b.renewed.Load(); n < 320 || n > 410 {
			t.Errorf("%d renewals in an hour, want about 360", n)
		}
	})
}

// TestShortOutage loses the server for as long as the documentation allows: the
// window stays open.
// TestOutage loses the server for longer than the lease. The lease is not over
// until the server says so; then it is renewed if nobody took the number, and
// lost if somebody did.
// TestLostReplies loses the replies of renewals for a while: the server has acted
// on each, and the lease survives.
// TestLostAcquire loses the reply to Acquire: the number does not stay held.
// TestFuture leases a number whose mark is an hour ahead: the window is open from
// its start on, and the mark keeps ahead of a clock at half speed until the
// process clock has caught up.
func TestFuture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		ahead, err := workerid.NewWithWall(&b.Memory, fresh(), func() time.Time { return time.Now().Add(time.Hour) })
		if err != nil {
			t.Fatal(err)
		}
		acquire(t, ahead)
		closeWithin(t, ahead, time.Second)
		l := acquire(t, open(t, b, fresh()))
		began := time.Now()
		start := l.Window().Start
		if lead := start - l.Now(); lead < 3_500_000 {
			t.Fatalf("starts %d ms in the future, want an hour", lead)
		}
		for range 3 * 3600 {
			clock := max(l.Now(), start+time.Since(began).Milliseconds()/2)
			if left := l.Window().Mark - clock; left < 2900 {
				t.Fatalf("after %v %d ms are left", time.Since(began), left)
			}
			time.Sleep(time.Second)
		}
		if lead := l.Window().Mark - l.Now(); lead > 25_000 {
			t.Errorf("after three hours the mark is %d ms ahead", lead)
		}
		if n := b.renewed.Load(); n > 3*3600/2 {
			t.Errorf("%d renewals in three hours", n)
		}
	})
}

// TestWait has nodes wait for a number: one gets it after each release, and a ctx
// or Close ends the wait of the others.
// TestClose releases everything, is idempotent and final.
// TestCloseWithoutServer ends within its ctx and says what could not be released.
// TestCursor shares a cursor per grid, begins at the window, and hands over where
// it stopped.
func TestCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, new(backend), fresh())
		l := acquire(t, a)
		grid := workerid.Grid{Epoch: 0, Tick: time.Second, SequenceBits: 16}
		c := l.Cursor(grid)
		if l.Cursor(grid) != c || l.Cursor(workerid.Grid{Tick: time.Second, SequenceBits: 5}) == c {
			t.Error("one cursor per grid is wanted")
		}
		start := l.Window().Start
		tick := c.Counter.Load() >> 16
		if begin := int64(tick) * 1000; begin < start || begin >= start+1000 {
			t.Errorf("cursor begins at %d, the window at %d", begin, start)
		}
		c.Counter.Add(70_000) // into the second tick
		if err := l.Release(t.Context()); err != nil {
			t.Fatal(err)
		}
		if c.Counter.Load() < workerid.Sealed || l.Cursor(grid) != c {
			t.Error("cursor is not sealed")
		}
		if other := l.Cursor(workerid.Grid{Tick: time.Millisecond}); other.Counter.Load() < workerid.Sealed {
			t.Error("a new cursor of an ended lease is not sealed")
		}
		next := acquire(t, a)
		if want := int64(tick+2) * 1000; next.Window().Start != want {
			t.Errorf("successor starts at %d, want %d", next.Window().Start, want)
		}
	})
}

// TestProcessClock does not follow the wall clock, except forward as far as the
// server confirms.
func TestProcessClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var offset atomic.Int64
		wall := func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
		a, err := workerid.NewWithWall(new(backend), fresh(), wall)
		if err != nil {
			t.Fatal(err)
		}
		l := acquire(t, a)
		for _, step := range []struct {
			to   time.Duration
			want time.Duration // of the process clock, ahead of the server's
		}{{0, 0}, {-time.Hour, 0}, {time.Hour, time.Second}, {-time.Hour, time.Second}, {0, time.Second}} {
			offset.Store(int64(step.to))
			time.Sleep(30 * time.Second)
			ahead := l.Now() - time.Now().UnixMilli()
			if math.Abs(float64(ahead-step.want.Milliseconds())) > 10 {
				t.Errorf("wall clock off by %v: process clock ahead by %d ms, want %v", step.to, ahead, step.want)
			}
			if s := l.Status(); (s.Offset + step.want).Abs() > 10*time.Millisecond {
				t.Errorf("offset is %v, want %v", s.Offset, -step.want)
			}
		}
		closeWithin(t, a, time.Second)
	})
}

// TestBadOptions lists every problem at once.
// TestBadRequest lists every problem at once and asks nobody.
