package queueredis_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/queue/queuetest"
)

// rights are those that the documentation lists.
const rights = "eval evalsha time blpop exists hget hset hsetnx hmget hgetall hdel hlen hexists hincrby hincrbyfloat hstrlen " +
	"lpush rpush lpop llen lrange lindex lrem zadd zrem zcard zscore zmscore zrange zrangebyscore zrangebylex zscan"

// TestRights runs the suite as a user who has the documented rights and no other.
// No right is superfluous.
func TestRights(t *testing.T) {
	server := testenv.Redis(t)
	admin := server.Client(t)
	args := []any{"ACL", "SETUSER", "app", "on", ">secret", "resetchannels", "~cohort:queue:*", "-@all", "+hello", "+client|setinfo", "+ping"}
	for right := range strings.FieldsSeq(rights) {
		args = append(args, "+"+right)
	}
	if err := admin.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	client := server.Client(t, func(o *redis.Options) { o.Username, o.Password = "app", "secret" })
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
	used := admin.Info(t.Context(), "commandstats").Val()
	for right := range strings.FieldsSeq(rights) {
		if !strings.Contains(used, "cmdstat_"+right+":") {
			t.Errorf("the right to %s is not needed", right)
		}
	}
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
