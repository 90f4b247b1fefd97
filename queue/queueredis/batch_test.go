package queueredis_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
)

// TestLargeBatch stores 100 000 messages in one call, of which each arrives once.
func TestLargeBatch(t *testing.T) {
	const n = 100_000
	q := openOn(t, testenv.Redis(t))
	results, err := q.EnqueueMany(t.Context(), make([]queue.Message, n))
	if err != nil || len(results) != n {
		t.Fatalf("%d results, %v", len(results), err)
	}
	arrived := make(chan queue.ID, 1024)
	_, err = q.Consume(t.Context(), func(_ context.Context, d *queue.Delivery) error {
		arrived <- d.ID
		return nil
	}, queue.ConsumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	missing := make(map[queue.ID]bool, n)
	for _, r := range results {
		missing[r.ID] = true
	}
	for len(missing) > 0 {
		select {
		case id := <-arrived:
			if !missing[id] {
				t.Fatalf("%v came twice, or was never stored", id)
			}
			delete(missing, id)
		case <-time.After(30 * time.Second):
			t.Fatalf("%d of %d did not arrive", len(missing), n)
		}
	}
}

// TestBytesPerMessage measures what a ready message of 128 bytes takes in Redis.
func TestBytesPerMessage(t *testing.T) {
	const n, most = 100_000, 260
	server := testenv.Redis(t)
	client := server.Client(t)
	q := openOn(t, server)
	used := func() int {
		info := client.Info(t.Context(), "memory").Val()
		_, rest, _ := strings.Cut(info, "used_memory:")
		bytes, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			t.Fatal(err)
		}
		return bytes
	}
	payload := make([]byte, 128)
	messages := make([]queue.Message, n)
	for i := range messages {
		messages[i].Payload = payload
	}
	if _, err := q.EnqueueMany(t.Context(), messages[:queue.MaxBatch]); err != nil { // what scripts and buffers take
		t.Fatal(err)
	}
	before := used()
	if _, err := q.EnqueueMany(t.Context(), messages); err != nil {
		t.Fatal(err)
	}
	least := used()
	for end := time.Now().Add(5 * time.Second); least-before > most*n && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		least = min(least, used()) // buffers shrink, tables are rehashed
	}
	each := float64(least-before) / n
	t.Logf("%.1f bytes a message", each)
	if each > most {
		t.Errorf("at most %d", most)
	}
}
