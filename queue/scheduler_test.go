package queue_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// skewed is a store whose clock one node believes to go wrong by off.
type skewed struct {
	shared
	off time.Duration
}

func (s skewed) LastTick(ctx context.Context, name string) (last, now time.Time, err error) {
	last, now, err = s.shared.LastTick(ctx, name)
	return last, now.Add(s.off), err
}

// TestSkewedScheduler has five schedulers, of which two take the time for another:
// each tick fires once, and never before the store's time.
func TestSkewedScheduler(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, err := queue.NewMemoryStore(queue.MemoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		open := func(off time.Duration) queue.Queue {
			q, err := queue.New("ticks", skewed{shared{store}, off}, queue.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return q
		}
		time.Sleep(3 * time.Second) // no tick is due while they start, whatever the clock
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for _, off := range []time.Duration{0, 0, 0, 2 * time.Second, -2 * time.Second} {
			s, err := queue.NewScheduler(open(off), func(err error) { t.Error(err) }, queue.Schedule{
				Name: "every", Cron: "@every 5s",
				Message: func(tick time.Time) queue.Message { return queue.Message{Payload: []byte(tick.String())} },
			})
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() { _ = s.Run(ctx) }) // its error is the end of ctx
		}
		q := open(0)
		fired := map[string]int{}
		var mu sync.Mutex
		_, err = q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			fired[string(d.Payload)]++
			if tick := time.Now().Truncate(5 * time.Second).UTC().String(); string(d.Payload) != tick {
				t.Errorf("the tick %s fired at %v", d.Payload, time.Now())
			}
			return nil
		}, queue.ConsumeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		cancel()
		wg.Wait()
		if err := q.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if len(fired) != 12 {
			t.Errorf("%d ticks in a minute, want 12", len(fired))
		}
		for tick, n := range fired {
			if n != 1 {
				t.Errorf("the tick %s fired %d times", tick, n)
			}
		}
	})
}
