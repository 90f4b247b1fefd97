package rediserr_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediserr"
)

var errHeld = errors.New("held by another owner")

func TestRetryOutcome(t *testing.T) {
	refused := op("dial", syscall.ECONNREFUSED)
	tests := []struct {
		name      string
		attempts  []error // what each attempt returns; the last one repeats
		calls     int     // 0 means until the deadline
		want      error
		uncertain bool
	}{
		{"success", []error{nil}, 1, nil, false},
		{"success after a loss", []error{io.EOF, redis.ErrNoScript, nil}, 3, nil, false},
		{"final at once", []error{reply("OOM no memory")}, 1, reply("OOM no memory"), false},
		{"always refused", []error{refused}, 0, refused, false},
		{"lost, then refused", []error{io.EOF, refused}, 0, refused, true},
		{"lost, then denied", []error{io.EOF, reply("NOPERM no")}, 2, reply("NOPERM no"), true},
		{"lost, then answered", []error{io.EOF, errHeld}, 2, errHeld, false},
		{"lost, then not found", []error{io.EOF, redis.Nil}, 2, redis.Nil, false},
		{"refused, then answered", []error{refused, errHeld}, 2, errHeld, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				start := time.Now()
				err := rediserr.Retry(t.Context(), time.Second, func(context.Context) error {
					calls++
					return tt.attempts[min(calls, len(tt.attempts))-1]
				})
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				if got := rediserr.Uncertain(err); got != tt.uncertain {
					t.Errorf("uncertain is %v", got)
				}
				if tt.calls > 0 && calls != tt.calls {
					t.Errorf("%d calls, want %d", calls, tt.calls)
				}
				if tt.calls == 0 {
					if took := time.Since(start); took != time.Second || calls < 10 {
						t.Errorf("%d calls in %v", calls, took)
					}
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v is not the end of the deadline", err)
					}
				}
			})
		})
	}
}

func TestRetryDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := func(context.Context) error { return io.EOF }
		start := time.Now()
		if err := rediserr.Retry(t.Context(), 0, lost); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(start); took != rediserr.DefaultTimeout {
			t.Errorf("without a deadline it took %v", took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start = time.Now()
		err := rediserr.Retry(ctx, time.Second, lost)
		if took := time.Since(start); took != time.Minute {
			t.Errorf("with a deadline of 1m it took %v", took)
		}
		if !strings.Contains(err.Error(), "deadline exceeded: EOF") {
			t.Errorf("got %v", err)
		}
	})
}

func TestRetryDoesNotStartAfterTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errHeld)
	err := rediserr.Retry(ctx, 0, func(context.Context) error { t.Error("called"); return nil })
	if !errors.Is(err, errHeld) || rediserr.Uncertain(err) {
		t.Errorf("got %v, uncertain %v", err, rediserr.Uncertain(err))
	}
}

func TestRetrySaysWhyTheTimeWasNotEnough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := op("dial", syscall.ECONNREFUSED)
		calls := 0
		err := rediserr.Retry(t.Context(), time.Second, func(ctx context.Context) error {
			if calls++; calls == 1 {
				return refused
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, refused) || !errors.Is(err, context.DeadlineExceeded) || !rediserr.Uncertain(err) {
			t.Errorf("got %v, uncertain %v", err, rediserr.Uncertain(err))
		}
	})
}
