package workerid_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

func TestWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		a := open(t, b, fresh())
		held := acquire(t, a)
		got := make(chan *workerid.Lease)
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		for range 3 {
			wg.Go(func() {
				l, err := a.Acquire(ctx, workerid.Request{Wait: true})
				if err == nil {
					got <- l
				} else if !errors.Is(err, context.Canceled) || !errors.Is(err, workerid.ErrExhausted) {
					t.Errorf("waiting: %v", err)
				}
			})
		}
		time.Sleep(time.Minute)
		for range 2 {
			if err := held.Release(ctx); err != nil {
				t.Error(err)
			}
			released := time.Now()
			held = <-got
			if took := time.Since(released); took > 1100*time.Millisecond {
				t.Errorf("the number passed on after %v", took)
			}
		}
		cancel()
		wg.Wait()
		wg.Go(func() {
			if _, err := a.Acquire(t.Context(), workerid.Request{Wait: true}); !errors.Is(err, workerid.ErrClosed) {
				t.Errorf("waiting at Close: %v", err)
			}
		})
		time.Sleep(time.Second)
		closeWithin(t, a, time.Second)
		wg.Wait()
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		var ended []int
		opts := workerid.Options{Fresh: true, Hooks: workerid.Hooks{Ended: func(id int, cause error) {
			if !errors.Is(cause, workerid.ErrReleased) {
				t.Errorf("%d ended by %v", id, cause)
			}
			ended = append(ended, id)
		}}}
		a := open(t, b, opts)
		first, second := acquire(t, a), acquire(t, a)
		if err := first.Release(t.Context()); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := a.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if cause := context.Cause(second.Context()); !errors.Is(cause, workerid.ErrReleased) {
			t.Errorf("cause after Close is %v", cause)
		}
		for _, l := range []*workerid.Lease{first, second} {
			if err := l.Release(t.Context()); err != nil {
				t.Errorf("Release after Close: %v", err)
			}
			<-l.Window().Moved
		}
		if _, err := a.Acquire(t.Context(), workerid.Request{}); !errors.Is(err, workerid.ErrClosed) {
			t.Errorf("Acquire after Close: %v", err)
		}
		if _, err := a.Holders(t.Context()); !errors.Is(err, workerid.ErrClosed) {
			t.Errorf("Holders after Close: %v", err)
		}
		if list, err := b.Holders(t.Context()); len(list) > 0 || err != nil {
			t.Errorf("still held: %v, %v", list, err)
		}
		if slices.Sort(ended); !slices.Equal(ended, []int{0, 1}) {
			t.Errorf("ended: %v", ended)
		}
	})
}

func TestCloseWithoutServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(backend)
		a := open(t, b, fresh())
		l := acquire(t, a)
		b.down.Store(true)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		began := time.Now()
		err := a.Close(ctx)
		if took := time.Since(began); took > 2100*time.Millisecond || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close took %v: %v", took, err)
		}
		if op, ok := errors.AsType[*workerid.OpError](err); !ok || op.Op != "release" || op.ID != l.ID() {
			t.Errorf("Close: %v, want an OpError for number %d", err, l.ID())
		}
		if l.Context().Err() == nil {
			t.Error("the lease goes on after Close")
		}
	})
}
