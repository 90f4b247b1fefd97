package queueredis_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// Places of keys in allKeys.
const (
	finishedPlace   = 9
	errorsPlace     = 10
	rememberedPlace = 13
	settingsPlace   = 18
)

// TestHousekeeping has more to forget than one claim may: what is over goes with
// the next claims and does not pile up.
func TestHousekeeping(t *testing.T) {
	const n = 2000
	server := testenv.Redis(t)
	client := server.Client(t)
	q, err := queueredis.New(client, "clean", queueredis.Options{DedupeFor: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i] = queue.Message{ID: queue.IDOf(strconv.Itoa(i)), Retain: time.Millisecond}
	}
	if _, err := q.EnqueueMany(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	h, all := count(n)
	c, err := q.Consume(t.Context(), h, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	<-all
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys := allKeys("clean")
	left := func() int64 {
		return client.ZCard(t.Context(), keys[finishedPlace]).Val() + client.ZCard(t.Context(), keys[rememberedPlace]).Val()
	}
	if left() < n/2 {
		t.Fatalf("%d are left already: the test does not test", left())
	}
	if err := client.HDel(t.Context(), keys[settingsPlace], "K").Err(); err != nil { // it is time
		t.Fatal(err)
	}
	claims := 0
	for end := time.Now().Add(20 * time.Second); left() > 0; claims++ {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, _ = q.Receive(ctx, 1, time.Minute) // there is nothing to receive
		cancel()
		if time.Now().After(end) {
			t.Fatalf("after %d claims %d are left", claims, left())
		}
	}
	t.Logf("all gone after %d calls", claims)
}

// TestForgottenErrors purges messages that expired, and so are dead without a
// failure: nothing of them stays.
func TestForgottenErrors(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	q, err := queueredis.New(client, "errors", queueredis.Options{ExpiredToDead: true})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	never := time.Date(90_000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, deadline := range []time.Time{time.Now().Add(-time.Hour), never} {
		if _, err := q.Enqueue(t.Context(), queue.Message{Deadline: deadline}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := q.Receive(t.Context(), 2, time.Minute)
	if err != nil || len(list) != 1 || list[0].Deadline.Year() < 10_000 {
		t.Fatalf("got %v, %v", list, err)
	}
	control, _ := q.(queue.Controller)
	if n, err := control.Purge(t.Context(), queue.StateDead); n != 1 || err != nil {
		t.Fatalf("purged %d, %v", n, err)
	}
	if n := client.HLen(t.Context(), allKeys("errors")[errorsPlace]).Val(); n != 0 {
		t.Errorf("%d errors are left", n)
	}
}
