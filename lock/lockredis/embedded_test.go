package lockredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// The server inside the process, which the examples use, keeps the promises too.
func TestEmbedded(t *testing.T) {
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	suite(t, client, lockredis.FIFO)
}
