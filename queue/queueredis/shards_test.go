package queueredis_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// TestShards has the suite on queues of three shards each.
func TestShards(t *testing.T) {
	testenv.EachRedis(t, func(t *testing.T, client redis.UniversalClient) {
		var n atomic.Int64
		queuetest.Run(t, func(*testing.T) queuetest.Harness {
			name := fmt.Sprintf("shards%d", n.Add(1))
			return queuetest.Harness{Open: func(t testing.TB, opts queue.Options) queue.Queue {
				q, err := queueredis.New(client, name, queueredis.Options{Options: opts, Shards: 3})
				if err != nil {
					t.Fatal(err)
				}
				return q
			}}
		})
	})
}

// TestShardKeys looks where the messages of a queue with shards are: about evenly
// in the slots, with those of the time before in the first one, and under names
// that no other queue has.
func TestShardKeys(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	put := func(opts queueredis.Options, n int) {
		q, err := queueredis.New(client, "mails", opts)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = q.Close(t.Context()) })
		if _, err := q.EnqueueMany(t.Context(), make([]queue.Message, n)); err != nil {
			t.Fatal(err)
		}
	}
	put(queueredis.Options{}, 500)
	put(queueredis.Options{Shards: 4}, 2000)
	for key, at := range map[string]int64{
		"cohort:queue:{mails}:m": 1000, "cohort:queue:{mails.1%}:m": 500,
		"cohort:queue:{mails.2%}:m": 500, "cohort:queue:{mails.3%}:m": 500,
	} {
		if n := client.HLen(t.Context(), key).Val(); n < at-150 || n > at+150 {
			t.Errorf("%s has %d messages, want about %d", key, n, at)
		}
	}
	names, err := queueredis.Names(t.Context(), client, "")
	if err != nil || len(names) != 1 || names[0] != "mails" {
		t.Errorf("names are %q, %v", names, err)
	}
}
