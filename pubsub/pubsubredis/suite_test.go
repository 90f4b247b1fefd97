package pubsubredis_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
	"github.com/cohort-go/cohort/pubsub/pubsubtest"
)

func TestMain(m *testing.M) { testenv.Main(m, nil) }

// env is a bus of its own for each case, on a server that others use as well.
func env(c redis.UniversalClient, o pubsubredis.Options) func(t testing.TB) pubsubtest.Env {
	return func(t testing.TB) pubsubtest.Env {
		o := o
		o.Bus = t.Name()
		keys := func(t testing.TB) (streams, all []string) {
			t.Helper()
			return busKeys(t, c, o.Bus, max(o.Buses, 1))
		}
		return pubsubtest.Env{
			Backend: func(t testing.TB) pubsub.Backend {
				b, err := pubsubredis.NewBackend(c, o)
				if err != nil {
					t.Fatal(err)
				}
				return b
			},
			Trim: func(t testing.TB, keep int) {
				streams, _ := keys(t)
				for _, s := range streams {
					if err := c.XTrimMaxLen(t.Context(), s, int64(keep)).Err(); err != nil {
						t.Fatal(err)
					}
				}
			},
			Lose: func(t testing.TB) {
				_, all := keys(t)
				for _, k := range all {
					if err := c.Del(t.Context(), k).Err(); err != nil {
						t.Fatal(err)
					}
				}
			},
		}
	}
}

func TestSuite(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		pubsubtest.Run(t, env(c, pubsubredis.Options{}))
	})
}

func TestSuiteWithThreeBuses(t *testing.T) {
	pubsubtest.Run(t, env(testenv.Redis(t).Client(t), pubsubredis.Options{Buses: 3}))
}

func TestSuiteWithTail(t *testing.T) {
	pubsubtest.Run(t, env(testenv.Redis(t).Client(t), pubsubredis.Options{Tail: true}))
}
