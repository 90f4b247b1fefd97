package pubsubredis_test

import (
	"context"
	"net"
	"runtime"
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

func info(t testing.TB, c *redis.Client, section, field string) int {
	t.Helper()
	text, err := c.Info(t.Context(), section).Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			n, _ := strconv.Atoi(value)
			return n
		}
	}
	t.Fatalf("INFO has no %s", field)
	return 0
}

// counting counts the commands of a client.
type counting struct{ n *atomic.Int64 }

func (counting) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (h counting) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { h.n.Add(1); return next(ctx, cmd) }
}

func (h counting) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { h.n.Add(int64(len(cmds))); return next(ctx, cmds) }
}

// Invariant 6: any number of channels costs one connection and next to nothing.
func TestManyChannelsCostOneConnection(t *testing.T) {
	server := testenv.Redis(t)
	admin := server.Client(t)
	ps := node(t, server.Client(t), pubsubredis.Options{})
	handler := func(context.Context, *pubsub.Delivery) error { return nil }
	subscribe := func(channel string) {
		if _, err := ps.Subscribe(t.Context(), channel, handler, pubsub.SubscribeOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	subscribe("first")
	before := info(t, admin, "clients", "connected_clients")
	for i := range 200 {
		for range 3 {
			subscribe("c." + strconv.Itoa(i))
		}
	}
	eventually(t, "600 subscriptions cost no connection", func() bool {
		return info(t, admin, "clients", "connected_clients") <= before
	})
	if n := info(t, admin, "clients", "pubsub_clients"); n != 1 {
		t.Errorf("%d subscribed connections, want 1", n)
	}
}

// Idle nodes ask one question per 1.5 s, however many channels they have.
func TestTimingIdleCommands(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	admin := server.Client(t)
	ps := node(t, server.Client(t), pubsubredis.Options{})
	for i := range 200 {
		observe(t, ps, "c."+strconv.Itoa(i), pubsub.SubscribeOptions{})
	}
	idle := 4 * time.Second
	if testenv.Long() {
		idle = 10 * time.Second
	}
	calls := func() int { return evalshas(t, admin) }
	start := calls()
	time.Sleep(idle)
	n := calls() - start
	t.Logf("200 channels: %d commands in %v of idleness", n, idle)
	if n > 2*int(idle/(1500*time.Millisecond))+2 {
		t.Error("want one per 1.5s")
	}
}

// evalshas is how many scripts clients have called.
func evalshas(t testing.TB, c *redis.Client) int {
	t.Helper()
	text, err := c.Info(t.Context(), "commandstats").Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(text, "\r\n") {
		if rest, ok := strings.CutPrefix(line, "cmdstat_evalsha:calls="); ok {
			calls, _, _ := strings.Cut(rest, ",")
			n, _ := strconv.Atoi(calls)
			return n
		}
	}
	return 0
}

func TestFurtherSubscriptionsSendNothing(t *testing.T) {
	client := testenv.Redis(t).Client(t)
	sent := counting{new(atomic.Int64)}
	client.AddHook(sent)
	ps := node(t, client, pubsubredis.Options{})
	observe(t, ps, "a", pubsub.SubscribeOptions{})
	before := sent.n.Load()
	observe(t, ps, "b.>", pubsub.SubscribeOptions{})
	observe(t, ps, "c", pubsub.SubscribeOptions{})
	if n := sent.n.Load() - before; n != 0 {
		t.Errorf("%d commands for further subscriptions", n)
	}
}

func TestSubscribingAndCancellingLeavesNothing(t *testing.T) {
	server := testenv.Redis(t)
	admin := server.Client(t)
	ps := node(t, server.Client(t), pubsubredis.Options{})
	observe(t, ps, "a", pubsub.SubscribeOptions{})
	before, goroutines := info(t, admin, "clients", "connected_clients"), runtime.NumGoroutine()
	for range 100 {
		sub, err := ps.Subscribe(t.Context(), "c", func(context.Context, *pubsub.Delivery) error { return nil }, pubsub.SubscribeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := sub.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the connections are as before", func() bool {
		return info(t, admin, "clients", "connected_clients") <= before
	})
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
}

// Invariant 7: Close of a node whose server is frozen ends with its ctx.
func TestTimingCloseWithFrozenServer(t *testing.T) {
	testenv.Timing(t)
	server := testenv.Redis(t)
	goroutines := runtime.NumGoroutine()
	for _, honours := range []bool{true, false} {
		var open atomic.Int64
		client := redis.NewClient(&redis.Options{
			Addr: server.Addr(), ContextTimeoutEnabled: honours, Dialer: countedDial(&open),
		})
		ps, err := pubsubredis.New(client, pubsubredis.Options{})
		if err != nil {
			t.Fatal(err)
		}
		observe(t, ps, "c", pubsub.SubscribeOptions{})
		publish(t, ps, "c", "x")
		server.Freeze()
		go func() { _, _ = ps.Publish(t.Context(), pubsub.Message{Channel: "c"}) }()
		time.Sleep(50 * time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		_ = ps.Close(ctx)
		took := time.Since(began)
		cancel()
		t.Logf("client honours deadlines: %v; Close with a ctx of 300ms took %v", honours, took)
		if limit := 300*time.Millisecond + 2*100*time.Millisecond; took > limit {
			t.Errorf("want at most %v", limit)
		}
		eventually(t, "only the borrowed client has connections", func() bool {
			return open.Load() <= int64(client.PoolStats().TotalConns)
		})
		_ = client.Close()
		eventually(t, "no connection is left", func() bool { return open.Load() == 0 })
		server.Thaw()
	}
	eventually(t, "the goroutines are gone", func() bool { return runtime.NumGoroutine() <= goroutines+2 })
}

// countedDial counts the connections that are open, which a frozen server cannot.
func countedDial(open *atomic.Int64) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		open.Add(1)
		return &countedConn{Conn: conn, open: open}, nil
	}
}

type countedConn struct {
	net.Conn

	open   *atomic.Int64
	closed sync.Once
}

func (c *countedConn) Close() error {
	c.closed.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
