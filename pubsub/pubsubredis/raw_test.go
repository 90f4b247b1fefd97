package pubsubredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisstream"
)

// appendRaw stores an entry on the default bus that no node has written.
func appendRaw(t testing.TB, c redis.UniversalClient, entry []byte) {
	t.Helper()
	s, err := redisstream.New(c, redisstream.Options{Area: "pubsub", Name: "main"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), entry); err != nil {
		t.Fatal(err)
	}
}
