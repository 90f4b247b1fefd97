package testenv

import (
	"testing"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Mini returns a client of a miniredis of its own, which needs nothing
// installed. Its keys expire in real time.
func Mini(t testing.TB) *redis.Client {
	t.Helper()
	m := miniredis.RunT(t)
	m.ClockTTL(true)
	return newClient(t, m.Addr())
}

// newClient returns a client, closed at the end of t, that honours deadlines.
func newClient(t testing.TB, addr string, change ...func(*redis.Options)) *redis.Client {
	o := &redis.Options{Addr: addr, ContextTimeoutEnabled: true}
	for _, c := range change {
		c(o)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
