package queueredis_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// TestRights runs the suite as a user who has the documented rights and no other.
// No right is superfluous.
func TestRights(t *testing.T) {
	server := testenv.Redis(t)
	rights := testenv.DocumentedRights(t, "queueredis.go", "cohort")[0].Without("wait", "config|get")
	client := server.Restricted(t, rights)
	t.Run("suite", func(t *testing.T) { queuetest.Run(t, newHarness(client)) })

	q, err := queueredis.New(client, "full", queueredis.Options{MaxLen: 10})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close(context.Background())
	if _, err := q.Enqueue(t.Context(), queue.Message{Payload: make([]byte, 5000)}); err != nil {
		t.Fatal(err)
	}
	if _, err := q.Receive(t.Context(), 1, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := queueredis.Names(t.Context(), client, ""); err != nil {
		t.Error(err)
	}
	server.AllUsed(t, rights)
}

// TestEvictionIsWarnedOf has a server that may drop messages.
func TestEvictionIsWarnedOf(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	for policy, want := range map[string]bool{"noeviction": false, "allkeys-lru": true} {
		if err := client.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		opts := queueredis.Options{Options: queue.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))}}
		q, err := queueredis.New(client, "evict", opts)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
				t.Fatal(err)
			}
		}
		if err := q.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n := strings.Count(log.String(), "maxmemory-policy"); n > 1 || (n == 1) != want {
			t.Errorf("with %s: %s", policy, log.String())
		}
	}
}
