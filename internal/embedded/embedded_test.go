package embedded_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/cohort-go/cohort/internal/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T) *redis.Client {
	t.Helper()
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	o, err := redis.ParseURL(server.URL())
	if err != nil || o.Addr != server.Addr() {
		t.Fatalf("URL %s: %v", server.URL(), err)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestKeysExpire(t *testing.T) {
	c, ctx := start(t), t.Context()
	begin := time.Now()
	if err := c.Set(ctx, "k", "v", 100*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	for c.Exists(ctx, "k").Val() == 1 {
		if left := c.PTTL(ctx, "k").Val(); left > 100*time.Millisecond {
			t.Fatalf("%v left of 100ms", left)
		}
		if time.Since(begin) > 10*time.Second {
			t.Fatal("the key does not expire")
		}
	}
	if lived := time.Since(begin); lived < 99*time.Millisecond {
		t.Errorf("the key lived for %v of 100ms", lived)
	}
}

func TestTimeRunsAlsoInScripts(t *testing.T) {
	c, ctx := start(t), t.Context()
	outside, err := c.Time(ctx).Result()
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * time.Millisecond)
	inside, err := c.Eval(ctx, `local t = redis.call('TIME') return t[1] * 1000000 + t[2]`, nil).Int64()
	if err != nil {
		t.Fatal(err)
	}
	if d := time.UnixMicro(inside).Sub(outside); d < time.Millisecond || d > 10*time.Second {
		t.Errorf("a script runs %v after the command before it", d)
	}
}

func TestScriptsKeepLeasesInSortedSets(t *testing.T) {
	c, ctx := start(t), t.Context()
	take := redis.NewScript(`
		local t = redis.call('TIME')
		local now = t[1] * 1000 + math.floor(t[2] / 1000)
		redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
		if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then
			return redis.error_reply('FULL')
		end
		redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[1])
		return redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')`)
	run := func(name string) error { return take.Run(ctx, c, []string{"k"}, name, 1, 50).Err() }
	if err := run("a"); err != nil {
		t.Fatal(err)
	}
	if err := run("b"); err == nil {
		t.Error("two leases of one place")
	}
	time.Sleep(60 * time.Millisecond)
	if err := run("b"); err != nil {
		t.Errorf("after the first lease: %v", err)
	}
}

func TestBlockedReads(t *testing.T) {
	c, ctx := start(t), t.Context()
	if err := c.XGroupCreateMkStream(ctx, "s", "g", "$").Err(); err != nil {
		t.Fatal(err)
	}
	reads := map[string]func() error{
		"BLPOP": func() error { return c.BLPop(ctx, 10*time.Second, "l").Err() },
		"XREAD": func() error {
			return c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s", "$"}, Block: 10 * time.Second}).Err()
		},
		"XREADGROUP": func() error {
			return c.XReadGroup(ctx, &redis.XReadGroupArgs{
				Group: "g", Consumer: "c", Streams: []string{"s", ">"}, Block: 10 * time.Second,
			}).Err()
		},
	}
	done := make(chan error, len(reads))
	for _, read := range reads {
		go func() { done <- read() }()
	}
	time.Sleep(50 * time.Millisecond) // lets them block: without it they pass anyhow
	if err := c.RPush(ctx, "l", "v").Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.XAdd(ctx, &redis.XAddArgs{Stream: "s", Values: []string{"f", "v"}}).Err(); err != nil {
		t.Fatal(err)
	}
	for range reads {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	begin := time.Now()
	err := c.XRead(ctx, &redis.XReadArgs{Streams: []string{"s", "$"}, Block: 50 * time.Millisecond}).Err()
	if waited := time.Since(begin); !errors.Is(err, redis.Nil) || waited < 50*time.Millisecond {
		t.Errorf("nothing to read: %v after %v", err, waited)
	}
}

func TestPubSub(t *testing.T) {
	c, ctx := start(t), t.Context()
	sub := c.Subscribe(ctx, "topic")
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Publish(ctx, "topic", "hello").Result(); n != 1 || err != nil {
		t.Fatalf("published to %d, %v", n, err)
	}
	if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "hello" {
		t.Errorf("received %v, %v", m, err)
	}
}

func TestCloseEndsConnections(t *testing.T) {
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	defer c.Close()
	blocked := make(chan error, 1)
	go func() { blocked <- c.BLPop(context.Background(), 0, "l").Err() }()
	for c.PoolStats().TotalConns == 0 {
		time.Sleep(time.Millisecond)
	}
	server.Close()
	if err := <-blocked; err == nil {
		t.Error("a read from a closed server returned")
	}
}
