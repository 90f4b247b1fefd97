package pubsubredis_test

import (
	"context"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// Invariant 3 under load: pushes that silently stop, on a connection that stays
// open, are noticed and made up for within 10 s.
func TestTimingSilentPushesUnderLoad(t *testing.T) {
	testenv.Timing(t)
	const limit = 10 * time.Second
	server := testenv.Redis(t)
	proxy := testenv.NewProxy(t, server.Addr())
	reader := node(t, firstVia(t, proxy.Addr(), server.Addr()), pubsubredis.Options{})
	writer := node(t, server.Client(t), pubsubredis.Options{})
	got := observe(t, reader, "c", pubsub.SubscribeOptions{QueueSize: 1 << 20})
	publish(t, writer, "c", "0")
	got.want(t, "0")

	stop := make(chan struct{})
	var sent atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for sent.Store(1); ; sent.Add(1) {
			select {
			case <-stop:
				return
			default:
			}
			m := pubsub.Message{Channel: "c", Payload: []byte(strconv.FormatInt(sent.Load(), 10))}
			if _, err := writer.Publish(context.Background(), m); err != nil {
				t.Error(err)
				return
			}
		}
	})
	got.await(t, patience, func(log []string) bool { return len(log) > 100 })
	proxy.Hole(testenv.ToClient)
	began := time.Now()
	target := int(sent.Load()) + 1000 // not pushed any more
	got.await(t, patience, func(log []string) bool { return len(log) > target })
	took := time.Since(began)
	close(stop)
	wg.Wait()
	t.Logf("silent pushes were made up for within %v", took)
	if took > 2*limit {
		t.Errorf("want at most %v", limit)
	}
	got.want(t, numbers(int(sent.Load()))...)
}

// firstVia is a client whose clones make their first connection, that of the
// pushes, through one address, and all others through another.
func firstVia(t testing.TB, first, others string) *redis.Client {
	t.Helper()
	var dialled atomic.Bool
	c := redis.NewClient(&redis.Options{
		Addr: others, ContextTimeoutEnabled: true,
		Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if !dialled.Swap(true) {
				addr = first
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		},
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Signals to many nodes while the server closes every subscribed connection five
// times a second: all arrive, in order, on each node, without a Gap.
func TestKillsUnderLoad(t *testing.T) {
	nodes, total := 3, 20_000
	if testenv.Long() {
		nodes, total = 8, 1_000_000
	}
	const perCall = 50
	server := testenv.Redis(t)
	admin, client := server.Client(t), server.Client(t)
	var handled, gaps, disorder atomic.Int64
	for range nodes {
		next := 0
		_, err := node(t, client, pubsubredis.Options{MaxLen: 200_000}).Subscribe(t.Context(), "c",
			func(_ context.Context, d *pubsub.Delivery) error {
				if n, _ := strconv.Atoi(string(d.Payload)); n != next {
					disorder.Add(1)
				}
				next++
				handled.Add(1)
				return nil
			}, pubsub.SubscribeOptions{QueueSize: 1 << 20, OnGap: func(context.Context, pubsub.Gap) error {
				gaps.Add(1)
				return nil
			}})
		if err != nil {
			t.Fatal(err)
		}
	}
	writer := node(t, client, pubsubredis.Options{MaxLen: 200_000})
	stop := make(chan struct{})
	var killer sync.WaitGroup
	kills := 0
	killer.Go(func() {
		for tick := time.Tick(200 * time.Millisecond); ; kills++ {
			select {
			case <-tick:
			case <-stop:
				return
			}
			if err := admin.ClientKillByFilter(context.Background(), "TYPE", "pubsub").Err(); err != nil {
				t.Error(err)
			}
		}
	})
	for i := 0; i < total; i += perCall {
		messages := make([]pubsub.Message, perCall)
		for k := range messages {
			messages[k] = pubsub.Message{Channel: "c", Payload: []byte(strconv.Itoa(i + k))}
		}
		if _, err := writer.Publish(t.Context(), messages...); err != nil {
			t.Fatal(err)
		}
		for int64((i+perCall)*nodes)-handled.Load() > int64(50_000*nodes) { // retention is no matter here
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	killer.Wait()
	eventually(t, "all is handled", func() bool { return handled.Load() >= int64(nodes*total) })
	t.Logf("%d kills, %d signals to %d nodes", kills, total, nodes)
	if handled.Load() != int64(nodes*total) || gaps.Load() > 0 || disorder.Load() > 0 {
		t.Errorf("%d of %d handled, %d gaps, %d out of order", handled.Load(), nodes*total, gaps.Load(), disorder.Load())
	}
}
