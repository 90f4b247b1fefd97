package pubsubtest

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// truth is what replicas load: a map that stands for a database.
type truth struct {
	mu     sync.Mutex
	values map[string]int
	loads  int
	fail   int // loads that fail
}

func (t *truth) set(c change) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.values[c.Key] = c.Value
}

func (t *truth) load(context.Context) (map[string]int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.loads++
	if t.fail > 0 {
		t.fail--
		return nil, errors.New("database away")
	}
	return maps.Clone(t.values), nil
}

func (t *truth) spec(apply bool) pubsub.ReplicaSpec[map[string]int, change] {
	spec := pubsub.ReplicaSpec[map[string]int, change]{
		Codec: pubsub.JSON[change](),
		Load:  t.load,
		Retry: pubsub.Retry{Base: time.Millisecond},
	}
	if apply {
		spec.Apply = func(m map[string]int, c change) (map[string]int, error) {
			if c.Value < 0 {
				return nil, errors.New("negative")
			}
			m = maps.Clone(m)
			m[c.Key] = c.Value
			return m, nil
		}
	}
	return spec
}

func replicate(r *run) {
	for _, apply := range []bool{false, true} {
		t := &truth{values: map[string]int{"start": 1}}
		a, b := r.node(pubsub.Options{}), r.node(pubsub.Options{})
		ra, err := pubsub.Replicate(r.Context(), a, "config", t.spec(apply))
		if err != nil {
			r.Fatal(err)
		}
		rb, err := pubsub.Replicate(r.Context(), b, "config", t.spec(apply))
		if err != nil {
			r.Fatal(err)
		}
		check := func(what string, at pubsub.Position) {
			r.Helper()
			if err := rb.WaitFor(r.Context(), at); err != nil {
				r.Errorf("%s: %v", what, err)
			}
			if got := rb.Get(); !maps.Equal(got, t.values) {
				r.Errorf("%s: apply is %v, got %v, want %v", what, apply, got, t.values)
			}
		}
		check("at the start", pubsub.Position{})
		for i := range 20 {
			c := change{"k", i}
			t.set(c)
			receipt, err := ra.Signal(r.Context(), c)
			if err != nil {
				r.Fatal(err)
			}
			check("after a signal", receipt.Position)
		}
		t.set(change{"k", 100})
		bad, err := ra.Publish(r.Context(), change{"k", -1})
		if err != nil {
			r.Fatal(err)
		}
		check("after an Apply that failed", bad.Position)

		t.set(change{"lost", 7}) // nobody signals it
		r.env.Lose(r)
		r.until("the Gap makes it load", func() bool { return maps.Equal(rb.Get(), t.values) })
		for _, replica := range []*pubsub.Replica[map[string]int, change]{ra, rb} {
			if err := replica.Close(r.Context()); err != nil {
				r.Error(err)
			}
		}
	}
}

func replicaRetries(r *run) {
	t := &truth{values: map[string]int{"x": 1}, fail: 3}
	n := r.node(pubsub.Options{})
	replica, err := pubsub.Replicate(r.Context(), n, "config", t.spec(false))
	if err != nil || replica.Get()["x"] != 1 {
		r.Fatalf("got %v", err)
	}
	t.mu.Lock()
	t.fail = 1 << 30
	t.mu.Unlock()
	t.set(change{"x", 2})
	if _, err := replica.Publish(r.Context(), change{"x", 2}); err != nil {
		r.Fatal(err)
	}
	r.until("Err tells", func() bool { return replica.Err() != nil })
	if replica.Get()["x"] != 1 {
		r.Error("the old value is gone")
	}
	t.mu.Lock()
	t.fail = 0
	t.mu.Unlock()
	r.until("it loads again", func() bool { return replica.Get()["x"] == 2 && replica.Err() == nil })

	t.mu.Lock()
	t.fail = 1 << 30
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := pubsub.Replicate(ctx, n, "config", t.spec(false)); !errors.Is(err, context.DeadlineExceeded) {
		r.Errorf("a Load that never succeeds: %v", err)
	}
	if _, err := pubsub.Replicate(r.Context(), n, "config", pubsub.ReplicaSpec[int, int]{}); err == nil {
		r.Error("a spec without Load is accepted")
	}
}
