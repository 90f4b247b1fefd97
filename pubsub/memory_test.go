package pubsub_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func memoryEnv(buses int) func(testing.TB) pubsubtest.Env {
	return func(t testing.TB) pubsubtest.Env {
		log, err := pubsub.NewMemoryLog(pubsub.MemoryOptions{Buses: buses})
		if err != nil {
			t.Fatal(err)
		}
		return pubsubtest.Env{
			Backend: func(testing.TB) pubsub.Backend { return log.Backend() },
			Trim:    func(_ testing.TB, keep int) { log.Trim(keep) },
			Lose:    func(testing.TB) { log.Lose() },
		}
	}
}

func TestMemory(t *testing.T) { pubsubtest.RunVirtual(t, memoryEnv(1)) }

func TestMemoryWithThreeBuses(t *testing.T) { pubsubtest.RunVirtual(t, memoryEnv(3)) }

func TestMemoryInRealTime(t *testing.T) { pubsubtest.Run(t, memoryEnv(1)) }
