package workerid_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// TestRebindFarAhead has a generator go on with another number after one whose holder
// was an hour ahead: the window follows, so that there are IDs at once and for as
// long as the clock needs to catch up.
func TestRebindFarAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // the layout begins in 2020
		b := new(workerid.Memory)
		opts := workerid.Options{Count: 2, Fresh: true}
		ahead, err := workerid.NewWithWall(b, opts, func() time.Time { return time.Now().Add(time.Hour) })
		if err != nil {
			t.Fatal(err)
		}
		old := acquire(t, ahead)
		g, err := snowflake.New(old, snowflake.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		last, err := g.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := acquire(t, open(t, b, opts))
		if err := g.Rebind(l); err != nil {
			t.Fatal(err)
		}
		closeWithin(t, ahead, time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		id, err := g.Next(ctx)
		cancel()
		if err != nil || id <= last {
			t.Fatalf("after Rebind: %d, %v, want an ID above %d within a second", id, err, last)
		}
		for range 3 * 3600 {
			time.Sleep(time.Second)
			if id, err = g.TryNext(); err != nil {
				t.Fatalf("%v; the window ends %d ms ahead of the clock", err, l.Window().Mark-l.Now())
			}
		}
		parts, err := snowflake.Compat53().Decompose(id)
		if lead := time.Until(parts.Time); err != nil || lead > 2*time.Second {
			t.Errorf("after three hours IDs are %v ahead, %v", lead, err)
		}
		if lead := l.Window().Mark - l.Now(); lead > 25_000 {
			t.Errorf("after three hours the mark is %d ms ahead", lead)
		}
	})
}
