package queueredis_test

import (
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

func TestNames(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, rdb redis.UniversalClient) {
		for namespace, names := range map[string][]string{"names": {"mails", "{x}:s*", "ä"}, "other": {"hidden"}, "unused": nil} {
			for _, name := range names {
				q, err := queueredis.New(rdb, name, queueredis.Options{Namespace: namespace})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { q.Close(t.Context()) })
				if _, err := q.Enqueue(t.Context(), queue.Message{}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := queueredis.Names(t.Context(), rdb, namespace)
			slices.Sort(got)
			slices.Sort(names)
			if err != nil || !slices.Equal(got, names) {
				t.Errorf("%s: got %q, %v, want %q", namespace, got, err, names)
			}
		}
	})
}
