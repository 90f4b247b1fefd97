package workerid_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

func TestShortOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		l := acquire(t, open(t, b, fresh()))
		for i := range 200 {
			time.Sleep(time.Duration(i) * 57 * time.Millisecond) // any moment between two renewals
			b.down.Store(true)
			time.Sleep(25*time.Second - 12*time.Second - time.Second)
			if left := l.Window().Mark - l.Now(); left < 0 {
				t.Fatalf("the window closed %d ms ago", -left)
			}
			if s := l.Status(); !errors.Is(s.Err, errLine) || s.Failures == 0 || time.Since(s.Renewed) < 12*time.Second {
				t.Errorf("status is %+v", s)
			}
			b.down.Store(false)
			until := l.Now() + 1500
			for l.Now() < until {
				if left := l.Window().Mark - l.Now(); left < 0 {
					t.Fatalf("the window closed %d ms ago although the server is back", -left)
				}
				time.Sleep(10 * time.Millisecond)
			}
			if s := l.Status(); s.Err != nil || s.Failures != 0 {
				t.Errorf("status is %+v", s)
			}
		}
	})
}

func TestOutage(t *testing.T) {
	for _, taken := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			b := new(backend)
			l := acquire(t, open(t, b, fresh()))
			b.down.Store(true)
			time.Sleep(time.Minute)
			if l.Context().Err() != nil || l.Window().Mark > l.Now() {
				t.Errorf("after a minute the lease has %v and a window of %v", l.Context().Err(), l.Window())
			}
			if taken {
				acquire(t, open(t, &b.Memory, fresh()))
			}
			w := l.Window()
			b.down.Store(false)
			<-w.Moved
			cause := context.Cause(l.Context())
			if errors.Is(cause, workerid.ErrLost) != taken || !taken && cause != nil {
				t.Errorf("taken by another: %v, cause %v", taken, cause)
			}
			if err := l.Release(t.Context()); errors.Is(err, workerid.ErrLost) != taken || !taken && err != nil {
				t.Errorf("taken by another: %v, Release %v", taken, err)
			}
		})
	}
}

func TestLostReplies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		opts := fresh()
		opts.OpTimeout = 100 * time.Millisecond
		l := acquire(t, open(t, b, opts))
		for _, d := range []time.Duration{15 * time.Second, time.Minute, time.Hour} {
			b.deaf.Store(true)
			time.Sleep(d)
			before := l.Status().Renewed
			b.deaf.Store(false)
			time.Sleep(3 * time.Second)
			if l.Context().Err() != nil || !l.Status().Renewed.After(before) {
				t.Fatalf("after %v without replies: %v, %+v", d, context.Cause(l.Context()), l.Status())
			}
		}
	})
}

func TestLostAcquire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		a := open(t, b, fresh())
		b.deaf.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.Acquire(ctx, workerid.Request{}); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errLine) {
			t.Errorf("Acquire without a reply: %v", err)
		}
		b.deaf.Store(false)
		time.Sleep(6 * time.Second)
		if l := acquire(t, a); l.Generation() != 2 {
			t.Errorf("generation is %d, want 2", l.Generation())
		}
	})
}
