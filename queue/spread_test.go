package queue_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// stores are three memory stores that outlive their queues.
func stores(t testing.TB) []queue.Backend {
	var list []queue.Backend
	for range 3 {
		store, err := queue.NewMemoryStore(queue.MemoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, shared{store})
	}
	return list
}

// spreadQueue is another node over the backends.
func spreadQueue(t testing.TB, opts queue.Options, backends ...queue.Backend) queue.Queue {
	b, err := queue.Spread(backends...)
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.New("spread", b, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close(context.Background()) })
	return q
}

// TestSpread has the suite on three stores.
func TestSpread(t *testing.T) {
	queuetest.RunVirtual(t, func(t *testing.T) queuetest.Harness {
		backends := stores(t)
		return queuetest.Harness{Open: func(t testing.TB, opts queue.Options) queue.Queue {
			return spreadQueue(t, opts, backends...)
		}}
	})
}

func TestSpreadRefuses(t *testing.T) {
	type bare struct{ queue.Backend }
	one := stores(t)[0]
	for name, tt := range map[string]struct {
		list []queue.Backend
		want error
	}{
		"none":     {nil, queue.ErrInvalid},
		"too many": {make([]queue.Backend, queue.MaxShards+1), queue.ErrInvalid},
		"bare":     {[]queue.Backend{one, bare{one}}, queue.ErrUnsupported},
	} {
		if _, err := queue.Spread(tt.list...); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}

// frail is a store that cannot be reached at times.
type frail struct {
	shared
	away atomic.Bool
}

var errAway = errors.New("away")

func (f *frail) Claim(ctx context.Context, req queue.ClaimRequest) (queue.Claim, error) {
	if f.away.Load() {
		return queue.Claim{}, errAway
	}
	return f.shared.Claim(ctx, req)
}

func (f *frail) Extend(ctx context.Context, list []queue.Receipt, d time.Duration) ([]error, error) {
	if f.away.Load() {
		return nil, errAway
	}
	return f.shared.Extend(ctx, list, d)
}

func (f *frail) Settle(ctx context.Context, batch []queue.Settlement) ([]error, error) {
	if f.away.Load() {
		return nil, errAway
	}
	return f.shared.Settle(ctx, batch)
}

// TestSpreadShardAway takes one store away while messages of all of them run: what
// the others hold goes on, nothing is lost, and nothing runs twice.
func TestSpreadShardAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backends := stores(t)
		weak := &frail{shared: backends[1].(shared)}
		backends[1] = weak
		q := spreadQueue(t, queue.Options{}, backends...)
		const n = 300
		runs, lost := make(map[queue.ID]int), 0
		var mu sync.Mutex
		c, err := q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			runs[d.ID]++
			if len(runs)%3 == 0 && runs[d.ID] == 1 {
				return queue.Snooze(10 * time.Millisecond)
			}
			return nil
		}, queue.ConsumeOptions{Lease: 10 * time.Second, OnError: func(err error) {
			if errors.Is(err, queue.ErrLeaseLost) {
				lost++
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if i == n/3 {
				weak.away.Store(true)
			}
			if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Millisecond)
		}
		inspector, _ := q.(queue.Inspector)
		left := func() int {
			st, err := inspector.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return st.Left()
		}
		time.Sleep(time.Second)
		if away := left(); away == 0 || away > n/2 {
			t.Errorf("%d messages are left while a third of the stores is away", away)
		}
		weak.away.Store(false)
		time.Sleep(5 * time.Second)
		if still := left(); still > 0 {
			t.Errorf("%d messages are left at the end", still)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		for id, times := range runs {
			if times > 2 {
				t.Errorf("%v ran %d times", id, times)
			}
		}
		if len(runs) != n || lost > 0 {
			t.Errorf("%d of %d messages ran, %d leases were lost", len(runs), n, lost)
		}
	})
}

// TestSpreadPassesSignalsOn has a node stop to listen while its last wait in the
// stores goes on: the next message is another node's, and at once.
func TestSpreadPassesSignalsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		backends := stores(t)
		leaving, staying := spreadQueue(t, queue.Options{}, backends...), spreadQueue(t, queue.Options{}, backends...)
		found := make(chan time.Time, 1)
		consume := func(q queue.Queue) *queue.Consumer {
			c, err := q.Consume(t.Context(), func(context.Context, *queue.Delivery) error {
				found <- time.Now()
				return nil
			}, queue.ConsumeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		for range 20 {
			c := consume(leaving)
			time.Sleep(time.Millisecond) // it waits first
			synctest.Wait()
			other := consume(staying)
			time.Sleep(time.Millisecond)
			if err := c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent := time.Now()
			if _, err := staying.Enqueue(t.Context(), queue.Message{}); err != nil {
				t.Fatal(err)
			}
			if took := (<-found).Sub(sent); took > 10*time.Millisecond {
				t.Fatalf("found after %v", took)
			}
			if err := other.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

// solitary is a store whose messages must all run alone.
type solitary struct{ shared }

func (s solitary) Claim(_ context.Context, req queue.ClaimRequest) (queue.Claim, error) {
	if req.Max == 0 || req.Held > 0 {
		return queue.Claim{SoloWaiting: true, Next: -1}, nil
	}
	return queue.Claim{Next: -1, Messages: []queue.Claimed{{Receipt: "r", Solo: true, Attempt: 1}}}, nil
}

// TestSpreadOneAlone never claims two messages that must run alone.
func TestSpreadOneAlone(t *testing.T) {
	var backends []queue.Backend
	for _, b := range stores(t) {
		backends = append(backends, solitary{b.(shared)})
	}
	b, err := queue.Spread(backends...)
	if err != nil {
		t.Fatal(err)
	}
	given := map[queue.Receipt]bool{}
	for _, limit := range []int{1, 2, 3, 16, 16, 16} {
		got, err := b.Claim(t.Context(), queue.ClaimRequest{Max: limit, Slots: limit})
		if err != nil || len(got.Messages) != 1 || limit > 1 && !got.SoloWaiting {
			t.Fatalf("a claim of %d brought %d messages, others wait: %v, %v", limit, len(got.Messages), got.SoloWaiting, err)
		}
		given[got.Messages[0].Receipt] = true
	}
	if fmt.Sprint(len(given)) != "3" {
		t.Errorf("only %d of 3 stores had their turn", len(given))
	}
}

// TestSpreadOwes has one store away while messages of all are acknowledged or
// settled: what it did not take it takes later, and the others' are not lost.
func TestSpreadOwes(t *testing.T) {
	backends := stores(t)
	weak := &frail{shared: backends[1].(shared)}
	backends[1] = weak
	b, err := queue.Spread(backends...)
	if err != nil {
		t.Fatal(err)
	}
	const n = 60
	batch := make([]queue.Envelope, 2*n)
	for i := range batch {
		batch[i].ID, batch[i].MaxAttempts = queue.NewID(), 5
	}
	if _, err := b.Enqueue(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	var done []queue.Receipt
	var settled []queue.Settlement
	for len(done)+len(settled) < 2*n {
		got, err := b.Claim(t.Context(), queue.ClaimRequest{Max: 30, Slots: 30, Lease: time.Hour})
		if err != nil || len(got.Messages) == 0 {
			t.Fatalf("%d messages, %v", len(got.Messages), err)
		}
		for _, m := range got.Messages {
			if len(done) < n {
				done = append(done, m.Receipt)
			} else {
				settled = append(settled, queue.Settlement{Receipt: m.Receipt, ID: m.ID, Verb: queue.VerbDiscard})
			}
		}
	}
	weak.away.Store(true)
	if got, err := b.Claim(t.Context(), queue.ClaimRequest{Lease: time.Hour, Done: done}); err != nil || len(got.Lost) > 0 {
		t.Errorf("away: %d lost, %v", len(got.Lost), err)
	}
	if _, err := b.Settle(t.Context(), settled); !errors.Is(err, errAway) {
		t.Errorf("away: settle reports %v", err)
	}
	weak.away.Store(false)
	if got, err := b.Claim(t.Context(), queue.ClaimRequest{Lease: time.Hour}); err != nil || len(got.Lost) > 0 {
		t.Errorf("back: %d lost, %v", len(got.Lost), err)
	}
	errs, err := b.Settle(t.Context(), settled)
	if err := errors.Join(append(errs, err)...); err != nil {
		t.Errorf("back: settle reports %v", err)
	}
	st, err := b.(queue.InspectBackend).Stats(t.Context())
	if err != nil || st.Left() != 0 || st.Done != n || st.Discarded != n {
		t.Errorf("at the end: %+v, %v", st, err)
	}
}
