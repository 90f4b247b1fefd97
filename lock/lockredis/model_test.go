package lockredis_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// deaf hears no events.
type deaf struct{}

func (deaf) Granted(lock.Grant) {}
func (deaf) Contended(string)   {}
func (deaf) Missed()            {}

// Whatever is asked of them, the backend in memory and the one in Redis answer
// the same.
func TestModel(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	var runs atomic.Int32
	rapid.Check(t, func(t *rapid.T) {
		run := runs.Add(1)
		remote, err := lockredis.NewBackend(client, lockredis.Options{Namespace: fmt.Sprint("run", run)})
		if err != nil {
			t.Fatal(err)
		}
		process := fmt.Sprintf("p%011d", run)
		backends := []lock.Backend{lock.NewSpace().Backend(), remote}
		for _, b := range backends {
			if err := b.Start(process, deaf{}); err != nil {
				t.Fatal(err)
			}
		}
		defer func() {
			for _, b := range backends {
				_ = b.Close(t.Context())
			}
		}()
		permits := rapid.IntRange(0, 2).Draw(t, "permits")
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			c := lock.Claim{
				Name: "one", TTL: time.Minute, Permits: permits, Deadline: time.Now(),
				Token: process + fmt.Sprintf("%020d", rapid.IntRange(0, 3).Draw(t, "token")),
			}
			do := steps()[rapid.IntRange(0, len(steps())-1).Draw(t, "step")]
			if model, redis := do(t, backends[0], c), do(t, backends[1], c); model != redis {
				t.Fatalf("in memory %s, in Redis %s", model, redis)
			}
		}
	})
}

// steps are what may be asked; each returns the answer without times and fences.
func steps() []func(t *rapid.T, b lock.Backend, c lock.Claim) string {
	acquire := func(wait bool) func(t *rapid.T, b lock.Backend, c lock.Claim) string {
		return func(t *rapid.T, b lock.Backend, c lock.Claim) string {
			r, err := b.Acquire(t.Context(), c, wait)
			return fmt.Sprint("acquire ", wait, " ", r.State, r.Waiters, err)
		}
	}
	return []func(t *rapid.T, b lock.Backend, c lock.Claim) string{
		acquire(true), acquire(true), acquire(false),
		func(t *rapid.T, b lock.Backend, c lock.Claim) string {
			r, err := b.Extend(t.Context(), c)
			return fmt.Sprint("extend ", r.State, r.Waiters, err)
		},
		func(t *rapid.T, b lock.Backend, c lock.Claim) string {
			had, err := b.Release(t.Context(), c)
			return fmt.Sprint("release ", had, err)
		},
		func(t *rapid.T, b lock.Backend, c lock.Claim) string {
			info, err := b.Inspect(t.Context(), c.Name)
			return fmt.Sprint("inspect ", info.Held, info.Owner, info.Waiters, err)
		},
	}
}
