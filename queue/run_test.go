package queue

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestContextMadeLate looks at a handler's ctx only after what ended it.
func TestContextMadeLate(t *testing.T) {
	tests := []struct {
		name  string
		event func(r *run, cancelBase context.CancelCauseFunc)
		want  error // the cause; nil means that the ctx goes on
	}{
		{"nothing", func(*run, context.CancelCauseFunc) {}, nil},
		{"lease lost", func(r *run, _ context.CancelCauseFunc) { r.lose(ErrLeaseLost) }, ErrLeaseLost},
		{"timeout", func(*run, context.CancelCauseFunc) { time.Sleep(time.Second) }, ErrTimeout},
		{"shutdown", func(_ *run, cancel context.CancelCauseFunc) { cancel(ErrShutdown) }, ErrShutdown},
		{"returned", func(r *run, _ context.CancelCauseFunc) { r.end() }, context.Canceled},
	}
	for _, looked := range []bool{false, true} {
		for _, tt := range tests {
			t.Run(map[bool]string{false: "late ", true: "early "}[looked]+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					base, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					r := &run{}
					defer r.end()
					ctx := r.begin(base, time.Now(), time.Second)
					began := time.Now()
					if looked && ctx.Err() != nil {
						t.Fatalf("ended at once: %v", context.Cause(ctx))
					}
					tt.event(r, cancel)
					if tt.want == nil {
						if d, ok := ctx.Deadline(); !ok || !d.Equal(began.Add(time.Second)) || ctx.Err() != nil {
							t.Errorf("deadline %v %v, error %v", d, ok, ctx.Err())
						}
						return
					}
					select {
					case <-ctx.Done():
					case <-time.After(time.Minute):
						t.Fatal("the ctx goes on")
					}
					if cause := context.Cause(ctx); !errors.Is(cause, tt.want) {
						t.Errorf("cause %v, want %v", cause, tt.want)
					}
				})
			})
		}
	}
}

// TestContextUnseen proves that a ctx that nobody looks at is not made.
func TestContextUnseen(t *testing.T) {
	r := &run{}
	allocs := testing.AllocsPerRun(100, func() {
		*r = run{}
		_ = r.begin(t.Context(), time.Now(), time.Second)
		r.end()
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}
