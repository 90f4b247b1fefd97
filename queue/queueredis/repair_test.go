package queueredis_test

import (
	"context"
	_ "embed"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

//go:embed lua/common.lua
var commonLua string

//go:embed lua/repair.lua
var repairLua string

// wrongs is what the invariant script says of a queue.
func wrongs(t *testing.T, client redis.UniversalClient, name string) []string {
	t.Helper()
	list, err := redis.NewScript(invariantLua).Run(t.Context(), client, allKeys(name)).StringSlice()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// everywhere fills a queue with messages in all states but in flight, and pauses it.
func everywhere(t *testing.T, client redis.UniversalClient, name string) queue.Queue {
	t.Helper()
	q, err := queueredis.New(client, name, queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close(context.Background()) })
	put := func(m queue.Message) queue.ID {
		id, err := q.Enqueue(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	take := func(outcome error) {
		list, err := q.Receive(t.Context(), 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := list[0].Settle(t.Context(), outcome); err != nil {
			t.Fatal(err)
		}
	}
	put(queue.Message{})
	take(queue.Dead(errChaos))
	put(queue.Message{Retain: time.Hour})
	take(nil)
	put(queue.Message{})
	take(queue.RetryIn(time.Hour, errChaos))
	for range 3 {
		put(queue.Message{})
		put(queue.Message{Priority: queue.PriorityUrgent, Unique: queue.Unique{Key: "u" + queue.NewID().String()}})
		put(queue.Message{Key: "k"})
		put(queue.Message{Delay: time.Hour, ID: queue.NewID()})
	}
	if err := q.(queue.Controller).Pause(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if w := wrongs(t, client, name); len(w) > 0 {
		t.Fatal(w)
	}
	return q
}

// TestRepair breaks a queue in all ways and mends it.
func TestRepair(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	tests := []struct {
		name   string
		damage func(keys []string) error
		want   queueredis.Repairs
	}{
		{"nothing", func([]string) error { return nil }, queueredis.Repairs{}},
		{"ready lost", func(k []string) error { return client.Del(t.Context(), k[3]).Err() }, queueredis.Repairs{Restored: 4}},
		{"delayed lost", func(k []string) error { return client.Del(t.Context(), k[7]).Err() }, queueredis.Repairs{Restored: 4}},
		{"waiters lost", func(k []string) error { return client.Del(t.Context(), k[15]).Err() }, queueredis.Repairs{Restored: 2}},
		{"dead lost", func(k []string) error { return client.Del(t.Context(), k[8]).Err() }, queueredis.Repairs{Restored: 1}},
		// 15 members, 2 errors, 3 unique keys; the key is opened for nobody.
		{"messages lost", func(k []string) error { return client.Del(t.Context(), k[0]).Err() }, queueredis.Repairs{Dropped: 20, Opened: 1}},
		{"holder lost", func(k []string) error {
			id, err := client.HGet(t.Context(), k[16], "k").Result()
			return errors.Join(err, client.HDel(t.Context(), k[0], id).Err())
		}, queueredis.Repairs{Dropped: 1, Opened: 1}},
		{"holders lost", func(k []string) error { return client.Del(t.Context(), k[16]).Err() }, queueredis.Repairs{Opened: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := everywhere(t, client, tt.name)
			if err := tt.damage(allKeys(tt.name)); err != nil {
				t.Fatal(err)
			}
			got, err := queueredis.Repair(t.Context(), client, tt.name, queueredis.Options{})
			if err != nil || got != tt.want {
				t.Errorf("mended %+v, %v, want %+v", got, err, tt.want)
			}
			if w := wrongs(t, client, tt.name); len(w) > 0 {
				t.Errorf("still wrong: %q", w)
			}
			again, err := queueredis.Repair(t.Context(), client, tt.name, queueredis.Options{})
			if err != nil || again != (queueredis.Repairs{}) {
				t.Errorf("mended again: %+v, %v", again, err)
			}
			st, err := q.(queue.Inspector).Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := q.(queue.Controller).Resume(t.Context()); err != nil {
				t.Fatal(err)
			}
			h, all := count(int64(st.ReadyTotal() + st.Waiting))
			if _, err := q.Consume(t.Context(), h, queue.ConsumeOptions{}); err != nil {
				t.Fatal(err)
			}
			if st.ReadyTotal() > 0 {
				<-all
			}
		})
	}
}

// TestRepairAtWork leaves a queue alone that is not paused, or holds leases.
func TestRepairAtWork(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	q := redisQueue(t, client, "work")
	repair := func() error {
		_, err := queueredis.Repair(t.Context(), client, "work", queueredis.Options{})
		return err
	}
	if err := repair(); !errors.Is(err, queueredis.ErrAtWork) {
		t.Errorf("not paused: %v", err)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
		t.Fatal(err)
	}
	list, err := q.Receive(t.Context(), 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := q.(queue.Controller).Pause(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := repair(); !errors.Is(err, queueredis.ErrAtWork) {
		t.Errorf("a message is leased: %v", err)
	}
	if err := list[0].Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := repair(); err != nil {
		t.Errorf("idle: %v", err)
	}
}

// TestRepairLeavesOrder asks the script to mend what is in order, as a scan would
// that saw nothing: it must look itself.
func TestRepairLeavesOrder(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	everywhere(t, client, "order")
	keys := allKeys("order")
	script := redis.NewScript(commonLua + repairLua)
	mended := func(args ...any) {
		t.Helper()
		if n, err := script.Run(t.Context(), client, keys, args...).Int(); n != 0 || err != nil {
			t.Errorf("%.1q: mended %d, %v", args, n, err)
		}
	}
	for id := range client.HGetAll(t.Context(), keys[0]).Val() {
		mended("i", id)
		mended("r", id)
	}
	for _, member := range client.LRange(t.Context(), keys[3], 0, -1).Val() {
		mended("p", 4, member)
	}
	for _, member := range client.ZRange(t.Context(), keys[7], 0, -1).Val() {
		mended("p", 8, member)
	}
	for key := range client.HGetAll(t.Context(), keys[14]).Val() {
		mended("u", key)
	}
	mended("o", "k")
	if w := wrongs(t, client, "order"); len(w) > 0 {
		t.Error(w)
	}
}

// TestRepairBesideEnqueue mends a queue that is filled and changed meanwhile.
func TestRepairBesideEnqueue(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	q := everywhere(t, client, "busy")
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			m := queue.Message{Delay: time.Millisecond}
			id, err := q.Enqueue(t.Context(), m)
			if err != nil {
				t.Error(err)
			}
			_, _ = q.Receive(ctx, 1, time.Minute) // ErrPaused, but what is due becomes ready
			if id[0]%2 == 0 {
				_ = q.(queue.Controller).Cancel(ctx, id)
			}
		}
	})
	for range 20 {
		got, err := queueredis.Repair(t.Context(), client, "busy", queueredis.Options{})
		if err != nil || got != (queueredis.Repairs{}) {
			t.Errorf("mended %+v, %v", got, err)
		}
	}
	stop()
	wg.Wait()
	if w := wrongs(t, client, "busy"); len(w) > 0 {
		t.Error(w)
	}
}
