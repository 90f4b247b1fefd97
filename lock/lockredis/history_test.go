package lockredis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/lock"
)

// change is an operation on a lock: a lease begins or ends.
type change struct {
	lease  int
	begins bool
}

// mutex is the model: a lock has no holder (0) or one.
func mutex() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return 0 },
		Step: func(state, input, _ any) (bool, any) {
			holder, c := state.(int), input.(change)
			if c.begins {
				return holder == 0, c.lease
			}
			return holder == c.lease, 0
		},
		DescribeOperation: func(input, _ any) string { return fmt.Sprintf("%+v", input) },
	}
}

// history collects operations.
type history struct {
	mu     sync.Mutex
	began  time.Time
	leases atomic.Int64
	ops    []porcupine.Operation
}

func (h *history) add(client int, c change, from, to time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{
		ClientId: client, Input: c, Call: int64(from.Sub(h.began)), Return: int64(to.Sub(h.began)),
	})
}

// Leases begin, are released, and are lost to a network that fails in all ways:
// the history of all of them is one of a lock with at most one holder.
func TestHistory(t *testing.T) {
	server := testenv.Redis(t)
	h := &history{began: time.Now()}
	span := 4 * time.Second
	if testenv.Long() {
		span = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var workers, faults sync.WaitGroup
	for node := range 4 {
		proxy := testenv.NewProxy(t, server.Addr())
		client := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = client.Close() })
		l := open(t, client)
		for i := range 3 {
			workers.Go(func() { h.work(ctx, l, node*3+i) })
		}
		faults.Go(func() {
			disturb(ctx, proxy)
			proxy.Pass()
		})
	}
	workers.Wait()
	faults.Wait()
	if result := porcupine.CheckOperationsTimeout(mutex(), h.ops, 30*time.Second); result != porcupine.Ok {
		t.Errorf("the history of %d operations is %v", len(h.ops), result)
	}
	if len(h.ops) < 100 {
		t.Errorf("only %d operations", len(h.ops))
	}
	t.Logf("%d leases", h.leases.Load())
}

// disturb does harm to a network until ctx ends.
func disturb(ctx context.Context, proxy *testenv.Proxy) {
	for ctx.Err() == nil {
		time.Sleep(rand.N(200 * time.Millisecond))
		switch rand.N(5) {
		case 0:
			proxy.Reset()
		case 1:
			proxy.CutAfterReplies(rand.N(3))
		case 2:
			proxy.Hole(testenv.ToClient)
			time.Sleep(rand.N(300 * time.Millisecond))
		case 3:
			proxy.Hole(testenv.ToServer)
			time.Sleep(rand.N(300 * time.Millisecond))
		case 4:
			proxy.Delay(20*time.Millisecond, 20*time.Millisecond)
		}
		proxy.Pass()
	}
}

// work takes and gives back leases. A lease that the holder believes in ends at
// its release or at the end of its context, whichever is first.
func (h *history) work(ctx context.Context, l lock.Locker, client int) {
	for ctx.Err() == nil {
		wait, cancel := context.WithTimeout(ctx, time.Second)
		from := time.Now()
		lease, err := l.Acquire(wait, "one", lock.Request{TTL: 200 * time.Millisecond})
		got := time.Now()
		cancel()
		if err != nil {
			continue
		}
		id := int(h.leases.Add(1))
		h.add(client, change{id, true}, from, got)
		select {
		case <-lease.Context().Done():
		case <-time.After(rand.N(5 * time.Millisecond)):
		}
		ends := time.Now()
		if lease.Context().Err() != nil {
			// The holder has just learnt it, and believed until then that it held.
			h.add(client, change{id, false}, maxTime(got, ends.Add(-10*time.Millisecond)), ends)
			_ = lease.Release(context.WithoutCancel(ctx))
			continue
		}
		_ = lease.Release(context.WithoutCancel(ctx))
		h.add(client, change{id, false}, ends, time.Now())
	}
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
