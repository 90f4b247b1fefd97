package cohort

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// lossy is a backend of worker numbers that takes the number away at the next
// renewal when told to, and is out of numbers for a while then.
type lossy struct {
	taken    atomic.Int32
	takeAway atomic.Bool
	full     atomic.Int32  // refusals before the next grant
	ahead    time.Duration // how far in the future the first number starts
}

func (b *lossy) grant(r workerid.Terms, id int, start int64) workerid.Grant {
	now := time.Now().UnixMilli()
	return workerid.Grant{ID: id, Start: start, Mark: max(now+r.Reach, start+r.Lead), Expires: now + r.TTL, Time: now}
}

func (b *lossy) Acquire(_ context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	if b.full.Add(-1) >= 0 {
		return workerid.Grant{}, errors.New("the server is away")
	}
	id := int(b.taken.Add(1))
	if id > 1 {
		return b.grant(r.Terms, id, r.Wall), nil
	}
	return b.grant(r.Terms, id, r.Wall+b.ahead.Milliseconds()), nil
}

func (b *lossy) Renew(_ context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
	if b.takeAway.CompareAndSwap(true, false) {
		return workerid.Grant{}, workerid.ErrLost
	}
	g := b.grant(r.Terms, r.ID, r.Start)
	g.Mark = max(g.Mark, r.Want)
	return g, nil
}

func (b *lossy) Release(context.Context, workerid.ReleaseRequest) error { return nil }

func (b *lossy) Holders(context.Context) ([]workerid.Holder, error) { return nil, nil }

// TestNewNumberAfterOneFarAhead: the new number's window follows the IDs, which
// have to be later than those of a number that began an hour ahead of the clock.
func TestNewNumberAfterOneFarAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // the layout begins in 2020
		b := &lossy{ahead: time.Hour}
		numbers, err := workerid.New(b, workerid.Options{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := newIdentity(t.Context(), numbers, workerid.Request{}, snowflake.Compat53(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { id.keep(ctx); close(ended) }()

		before, err := id.ids.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old := id.lease.Load()
		b.takeAway.Store(true)
		<-old.Context().Done()
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		after, err := id.ids.Next(soon)
		cancel()
		if err != nil || after <= before {
			t.Errorf("got %v and %v, want an ID above %v within a second", after, err, before)
		}
		stop()
		<-ended
		id.ids.Close()
		if err := numbers.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestNewNumberAfterLoss: after the loss of its number the node is unready, takes
// another as soon as there is one, and goes on with later IDs.
func TestNewNumberAfterLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // the layout begins in 2020
		b := &lossy{}
		numbers, err := workerid.New(b, workerid.Options{})
		if err != nil {
			t.Fatal(err)
		}
		id, err := newIdentity(t.Context(), numbers, workerid.Request{}, snowflake.Compat53(), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { id.keep(ctx); close(ended) }()

		before, err := id.ids.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		old := id.lease.Load()
		b.full.Store(3)
		b.takeAway.Store(true)
		<-old.Context().Done()
		synctest.Wait()
		if err := id.ready(t.Context()); !errors.Is(err, workerid.ErrLost) {
			t.Errorf("right after the loss ready says %v, want ErrLost", err)
		}
		var during snowflake.ID
		var duringErr error
		go func() { during, duringErr = id.ids.Next(ctx) }() // waits for the new number
		time.Sleep(time.Minute)
		synctest.Wait()
		if duringErr != nil || during <= before {
			t.Errorf("asked for while there was no number: %v and %v, want an ID above %v", during, duringErr, before)
		}
		if lease := id.lease.Load(); lease == old || lease.ID() != 2 {
			t.Errorf("a minute after the loss the number is %d, want the new one", lease.ID())
		}
		if err := id.ready(t.Context()); err != nil {
			t.Errorf("with a new number ready says %v", err)
		}
		after, err := id.ids.Next(t.Context())
		if err != nil || after <= during {
			t.Errorf("got %v and %v, want an ID above %v", after, err, during)
		}
		stop()
		<-ended
		id.ids.Close()
		if err := numbers.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
