package cacheredis_test

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/cache/cachetest"
	"github.com/cohort-go/cohort/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Main(m, map[string]func(args []string){"herd": herdNode})
}

// slack is what one operation may take.
const slack = 50 * time.Millisecond

func TestStore(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		cachetest.Run(t, func(t *testing.T) cachetest.Backend {
			return cachetest.Backend{
				Node: func(tb cachetest.TB) cache.Store {
					return newStore(tb, c, cacheredis.Options{Namespace: namespace(t)})
				},
				Slack: slack,
			}
		})
	})
}

// newStore returns a Store that follows the invalidations.
func newStore(t cachetest.TB, c redis.UniversalClient, o cacheredis.Options) *cacheredis.Store {
	t.Helper()
	s, err := cacheredis.New(c, o)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatalf("Ready: %v", err)
	}
	return s
}

// namespace is one of the test's own.
func namespace(t *testing.T) string {
	var ns []rune
	for _, r := range t.Name() {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			ns = append(ns, r)
		}
	}
	return string(ns[max(0, len(ns)-60):])
}
