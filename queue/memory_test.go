package queue_test

import (
	"context"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuetest"
)

func TestMain(m *testing.M) {
	testenv.Main(m, map[string]func([]string){"snapshots": takeSnapshots})
}

// shared is a store that its queues do not close.
type shared struct{ *queue.MemoryStore }

func (shared) Close(context.Context) error { return nil }

// harness opens queues on one memory store, each through wrap.
func harness(t testing.TB, wrap func(queue.Backend) queue.Backend) queuetest.Harness {
	store, err := queue.NewMemoryStore(queue.MemoryOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := wrap(shared{store})
	return queuetest.Harness{Open: func(t testing.TB, opts queue.Options) queue.Queue {
		q, err := queue.New("test", b, opts)
		if err != nil {
			t.Fatal(err)
		}
		return q
	}}
}

func plain(b queue.Backend) queue.Backend { return b }

func TestMemory(t *testing.T) {
	queuetest.RunVirtual(t, func(t *testing.T) queuetest.Harness { return harness(t, plain) })
}

func TestMutants(t *testing.T) {
	queuetest.Prove(t, func(t testing.TB, m queuetest.Mutant) queuetest.Harness {
		h := harness(t, func(b queue.Backend) queue.Backend { return m.Backend(b.(queuetest.Store)) })
		open := h.Open
		h.Open = func(t testing.TB, opts queue.Options) queue.Queue { return m.Queue(open(t, opts)) }
		return h
	})
}
