package workerid_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

func TestBadOptions(t *testing.T) {
	_, err := workerid.New(nil, workerid.Options{
		First: -1, Count: 70_000, TTL: time.Millisecond, Renew: time.Hour, Horizon: time.Minute,
		Skew: time.Nanosecond, MaxTick: time.Microsecond, MaxAhead: -1, OpTimeout: -1, Layout: "a\nb",
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{
		"backend is nil", "First is -1", "Count is 70000", "TTL is 1ms", "Renew is 1h", "Skew is 1ns",
		"MaxTick is 1µs", "MaxAhead is -1ns", "OpTimeout is -1ns", "Layout has control characters",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error does not say %q:\n%v", part, err)
		}
	}
	for want, opts := range map[string]workerid.Options{
		"three MaxTick":   {MaxTick: 9 * time.Second},
		"twice the gap":   {TTL: 10 * time.Minute, Horizon: 10 * time.Second},
		"to 6h0m0s":       {TTL: 24 * time.Hour},
		"Horizon (1m0s)":  {TTL: 30 * time.Second, Horizon: time.Minute},
		"inside 0 to 655": {First: 65_530},
	} {
		if _, err := workerid.NewMemory(opts); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", opts, err, want)
		}
	}
}

func TestBadRequest(t *testing.T) {
	a := open(t, new(workerid.Memory), fresh())
	_, err := a.Acquire(t.Context(), workerid.Request{Preferred: new(7), Holder: strings.Repeat("x", 200)})
	if err == nil || !strings.Contains(err.Error(), "Preferred is 7") || !strings.Contains(err.Error(), "Holder is") {
		t.Errorf("error is %v", err)
	}
	if op, ok := errors.AsType[*workerid.OpError](err); !ok || op.Op != "acquire" {
		t.Errorf("error is %#v, want an OpError", err)
	}
}
