package main

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// awaitJobs waits until the nodes have done so many jobs, once each.
func (n *nodes) awaitJobs(t *testing.T, want int) {
	t.Helper()
	opts, err := redis.ParseURL(n.redis)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(opts)
	t.Cleanup(func() { client.Close() })
	q, err := queueredis.New(client, topic, queueredis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close(t.Context()) })
	var stats queue.Stats
	await(t, "all jobs are done", func() error {
		if stats, err = q.(queue.Inspector).Stats(t.Context()); err == nil && stats.Left() > 0 {
			err = fmt.Errorf("%d are left", stats.Left())
		}
		return err
	})
	if int(stats.Done) != want || stats.Lapsed != 0 || stats.Died != 0 {
		t.Errorf("%d jobs were accepted; the queue says %+v", want, stats.Accounts)
	}
}
