package pubsubredis_test

import (
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/rediskey"
)

// busKeys are the keys of a bus: its streams, and the streams with their states.
func busKeys(t testing.TB, _ redis.UniversalClient, name string, buses int) (streams, all []string) {
	t.Helper()
	for i := range buses {
		part := name
		if buses > 1 {
			part += "." + strconv.Itoa(i)
		}
		encoded, err := rediskey.Encode(part)
		if err != nil {
			t.Fatal(err)
		}
		stream := rediskey.Join("", "pubsub", encoded, "s")
		streams = append(streams, stream)
		all = append(all, stream, rediskey.Join("", "pubsub", encoded, "h"))
	}
	return streams, all
}
