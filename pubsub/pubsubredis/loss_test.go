package pubsubredis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// Invariant 1: what is published right after Subscribe returned is handled.
func TestPublishRightAfterSubscribe(t *testing.T) {
	server := testenv.Redis(t)
	writer := node(t, server.Client(t), pubsubredis.Options{})
	client := server.Client(t)
	for i := range 500 {
		reader, err := pubsubredis.New(client, pubsubredis.Options{})
		if err != nil {
			t.Fatal(err)
		}
		channel := "c." + strconv.Itoa(i)
		got := observe(t, reader, channel, pubsub.SubscribeOptions{})
		publish(t, writer, channel, "x")
		got.want(t, "x")
		if err := reader.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// Invariants 1 and 3: a server without its data is one Gap, then all goes on.
func TestPositionFromTheFutureAndFlush(t *testing.T) { flushed(t) }

func TestTimingFlush(t *testing.T) {
	testenv.Timing(t)
	took := flushed(t)
	t.Logf("after a flush the Gap and 20 messages were handled within %v", took)
	if took > 2*3*time.Second {
		t.Error("want at most 3s")
	}
}

// flushed returns how long it took until all subscriptions were in step again.
func flushed(t *testing.T) time.Duration {
	t.Helper()
	server := testenv.Redis(t)
	ps := node(t, server.Client(t), pubsubredis.Options{})
	future, err := pubsub.ParsePosition("0:9000000000000000:8999999999999000:9999999999999-0:")
	if err != nil {
		t.Fatal(err)
	}
	live := observe(t, ps, "c", pubsub.SubscribeOptions{})
	publish(t, ps, "c", "before")
	live.want(t, "before")
	late := observe(t, ps, "c", pubsub.SubscribeOptions{From: pubsub.After(future)})
	late.want(t, "gap reset -1", "before")
	if err := server.Client(t).FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for i := range 20 {
		publish(t, ps, "c", strconv.Itoa(i))
	}
	live.want(t, append([]string{"before", "gap reset -1"}, numbers(20)...)...)
	late.want(t, append([]string{"gap reset -1", "before", "gap reset -1"}, numbers(20)...)...)
	return time.Since(began)
}

func numbers(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = strconv.Itoa(i)
	}
	return list
}

// Invariants 2, 3 and 5: a stopped handler costs its own subscription a Gap.
func TestStoppedHandlerBeyondRetention(t *testing.T) {
	for _, policy := range []pubsub.Policy{pubsub.DropIntoGap, pubsub.Block} {
		t.Run(fmt.Sprint("policy ", policy), func(t *testing.T) {
			const total = 10_000
			ps := node(t, testenv.Redis(t).Client(t), pubsubredis.Options{MaxLen: 1000})
			fast := observe(t, ps, "c", pubsub.SubscribeOptions{QueueSize: total})
			goOn := make(chan struct{})
			var missed, handled, last, disorder atomic.Int64
			last.Store(-1)
			_, err := ps.Subscribe(t.Context(), "c", func(_ context.Context, d *pubsub.Delivery) error {
				<-goOn
				n, _ := strconv.ParseInt(string(d.Payload), 10, 64)
				if n <= last.Swap(n) {
					disorder.Add(1)
				}
				handled.Add(1)
				return nil
			}, pubsub.SubscribeOptions{Policy: policy, OnGap: func(_ context.Context, g pubsub.Gap) error {
				missed.Add(g.Missed)
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < total; i += 100 {
				var batch []string
				for k := range 100 {
					batch = append(batch, strconv.Itoa(i+k))
				}
				publish(t, ps, "c", batch...)
			}
			fast.want(t, numbers(total)...)
			close(goOn)
			eventually(t, "missed and handled are all", func() bool { return missed.Load()+handled.Load() >= total })
			if missed.Load()+handled.Load() != total || missed.Load() == 0 || last.Load() != total-1 || disorder.Load() > 0 {
				t.Errorf("missed %d, handled %d, last %d, out of order %d, of %d",
					missed.Load(), handled.Load(), last.Load(), disorder.Load(), total)
			}
		})
	}
}

// Invariants 2 and 4: cuts of the network, also in the middle of a reply or of a
// push, are repaired without a Gap, on every
// node in the same order, and no message is handled twice.
func TestCuts(t *testing.T) {
	server := testenv.Redis(t)
	cuts, publishers, each, limit := 200, 4, 5000, 120*time.Second
	if !testenv.Long() {
		cuts, each, limit = 60, 1500, 60*time.Second
	}
	var proxies []*testenv.Proxy
	via := func() *redis.Client {
		proxy := testenv.NewProxy(t, server.Addr())
		proxies = append(proxies, proxy)
		c := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	queue := pubsub.SubscribeOptions{QueueSize: publishers * each}
	var nodes []*seen
	for range 3 {
		nodes = append(nodes, observe(t, node(t, via(), pubsubredis.Options{}), "c", queue))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	acknowledged, unknown := make(map[string]bool), make(map[string]bool)
	for p := range publishers {
		ps := node(t, via(), pubsubredis.Options{Options: pubsub.Options{OpTimeout: 20 * time.Second}})
		wg.Go(func() {
			for i := range each {
				payload := fmt.Sprintf("%d-%d", p, i)
				_, err := ps.Publish(t.Context(), pubsub.Message{Channel: "c", Payload: []byte(payload)})
				mu.Lock()
				acknowledged[payload], unknown[payload] = err == nil, err != nil
				mu.Unlock()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for i := range cuts {
		proxy := proxies[rand.IntN(len(proxies))]
		switch i % 3 {
		case 0:
			proxy.Reset()
		case 1:
			proxy.CutAfterReplies(rand.IntN(20))
		default:
			proxy.CutWithinReply(rand.IntN(20))
		}
		select {
		case <-done:
		case <-time.After(time.Duration(rand.IntN(30)) * time.Millisecond):
		}
	}
	<-done
	first := nodes[0]
	first.await(t, limit, func(log []string) bool { return len(log) >= len(acknowledged)-count(unknown) })
	time.Sleep(200 * time.Millisecond)
	log := first.all()
	known := make(map[string]bool)
	for _, payload := range log {
		if known[payload] {
			t.Fatalf("%s was handled twice", payload)
		}
		known[payload] = true
		if strings.HasPrefix(payload, "gap") {
			t.Fatalf("there is a Gap: %s", payload)
		}
	}
	for payload, ok := range acknowledged {
		if ok && !known[payload] {
			t.Errorf("%s was acknowledged and not handled", payload)
		}
	}
	for i, n := range nodes[1:] {
		n.await(t, limit, func(other []string) bool { return len(other) >= len(log) })
		if !slices.Equal(n.all(), log) {
			t.Errorf("node %d saw another order", i+1)
		}
	}
	t.Logf("%d cuts, %d messages, %d without a known outcome", cuts, len(log), count(unknown))
}

func count(set map[string]bool) (n int) {
	for _, in := range set {
		if in {
			n++
		}
	}
	return n
}

// Invariant 2: a failover that lost messages is a Gap before the first new one.
func TestFailoverThatLosesMessages(t *testing.T) {
	set := testenv.Sentinel(t)
	ps := node(t, set.Client(t), pubsubredis.Options{})
	got := observe(t, ps, "c", pubsub.SubscribeOptions{})
	publish(t, ps, "c", "1", "2")
	got.want(t, "1", "2")
	set.FailoverLosing(t, func() {
		publish(t, ps, "c", "lost 1", "lost 2", "lost 3", "lost 4", "lost 5")
		got.await(t, patience, func(log []string) bool { return len(log) == 7 })
	})
	eventually(t, "publishing works again", func() bool {
		_, err := ps.Publish(t.Context(), pubsub.Message{Channel: "c", Payload: []byte("new")})
		return err == nil
	})
	got.await(t, patience, func(log []string) bool { return slices.Contains(log, "new") })
	log := got.all()[7:]
	if len(log) < 2 || log[0] != "gap failover -1" && log[0] != "gap reset -1" {
		t.Errorf("after the failover came %q, want a Gap first", log)
	}
	for _, payload := range log {
		if strings.HasPrefix(payload, "lost") {
			t.Errorf("%q came again", payload)
		}
	}
}

// A server that comes back with older data is the same, without a Sentinel.
func TestRestartWithOlderData(t *testing.T) {
	server := testenv.Redis(t)
	ps := node(t, server.Client(t), pubsubredis.Options{})
	got := observe(t, ps, "c", pubsub.SubscribeOptions{})
	publish(t, ps, "c", "1")
	got.want(t, "1")
	old := server.Snapshot(t)
	publish(t, ps, "c", "2", "3", "4", "5", "6")
	got.await(t, patience, func(log []string) bool { return len(log) == 6 })
	server.RestartFrom(t, old)
	publish(t, ps, "c", "a", "b", "c", "d", "e", "f", "g")
	got.want(t, "1", "2", "3", "4", "5", "6", "gap failover -1", "a", "b", "c", "d", "e", "f", "g")
}

// Invariant 3: messages that were acknowledged, that no node has seen, and that the
// server then lost, are a Gap as well, for a Replica a reload, and for whoever resumes
// at a position from before. The order is the same for all.
func TestLossOfWhatNobodyHasSeen(t *testing.T) {
	server := testenv.Redis(t)
	proxy := testenv.NewProxy(t, server.Addr())
	via := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = via.Close() })
	ps, writer := node(t, via, pubsubredis.Options{}), node(t, server.Client(t), pubsubredis.Options{})
	got := observe(t, ps, "c", pubsub.SubscribeOptions{})
	var loads atomic.Int64
	_, err := pubsub.Replicate(t.Context(), ps, "c", pubsub.ReplicaSpec[int64, string]{
		Codec: pubsub.JSON[string](),
		Load:  func(context.Context) (int64, error) { return loads.Add(1), nil },
		Apply: func(s int64, _ string) (int64, error) { return s, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, writer, "c", `"1"`)
	got.want(t, `"1"`)
	from := ps.Position()
	old := server.Snapshot(t)
	proxy.Hole(testenv.Both)
	publish(t, writer, "c", `"lost"`, `"lost"`)
	server.RestartFrom(t, old)
	publish(t, writer, "c", `"2"`, `"3"`, `"4"`)
	proxy.Reset()
	proxy.Pass()
	got.want(t, `"1"`, "gap failover -1", `"2"`, `"3"`, `"4"`)
	observe(t, ps, "c", pubsub.SubscribeOptions{From: pubsub.After(from)}).
		want(t, "gap failover -1", `"2"`, `"3"`, `"4"`)
	eventually(t, "the Replica has loaded again", func() bool { return loads.Load() == 2 })
}

// What a killed push connection does not bring comes from the log, in order.
func TestKilledSubscriptions(t *testing.T) {
	server := testenv.Redis(t)
	ps := node(t, server.Client(t), pubsubredis.Options{})
	admin := server.Client(t)
	const total = 2000
	got := observe(t, ps, "c", pubsub.SubscribeOptions{QueueSize: total})
	for i := range total {
		if i%100 == 0 {
			if err := admin.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
				t.Fatal(err)
			}
		}
		publish(t, ps, "c", strconv.Itoa(i))
	}
	got.want(t, numbers(total)...)
}
