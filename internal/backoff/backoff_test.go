package backoff_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/internal/backoff"
)

func TestDelay(t *testing.T) {
	p := backoff.Policy{Base: 10 * time.Millisecond, Max: 75 * time.Millisecond}
	tests := []struct {
		policy  backoff.Policy
		attempt int
		want    time.Duration
	}{
		{p, 0, 10 * time.Millisecond},
		{p, 1, 20 * time.Millisecond},
		{p, 2, 40 * time.Millisecond},
		{p, 3, 75 * time.Millisecond},
		{p, math.MaxInt, 75 * time.Millisecond},
		{backoff.Policy{}, 5, 0},
		{backoff.Policy{Base: time.Hour, Max: time.Minute}, 0, time.Minute},
		{backoff.Policy{Base: time.Second}, 200, 1 << 62},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%+v after %d", tt.policy, tt.attempt), func(t *testing.T) {
			if got := tt.policy.Delay(tt.attempt); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestDelayJitterOnlyShortens(t *testing.T) {
	p := backoff.Policy{Base: time.Second, Max: time.Second, Jitter: 0.25}
	var spread bool
	for range 1000 {
		d := p.Delay(0)
		if d > time.Second || d < 750*time.Millisecond {
			t.Fatalf("%v is outside 750ms to 1s", d)
		}
		spread = spread || d < 950*time.Millisecond
	}
	if !spread {
		t.Error("1000 waits were all the same")
	}
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		if err := backoff.Sleep(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
		if slept := time.Since(start); slept != time.Hour {
			t.Errorf("slept %v", slept)
		}

		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(cause) })
		start = time.Now()
		if err := backoff.Sleep(ctx, time.Hour); !errors.Is(err, cause) {
			t.Errorf("got %v, want the cause", err)
		}
		if slept := time.Since(start); slept != time.Minute {
			t.Errorf("slept %v after the end of ctx", slept)
		}
		if err := backoff.Sleep(ctx, 0); !errors.Is(err, cause) {
			t.Errorf("ended ctx, no wait: got %v, want the cause", err)
		}
	})
}
