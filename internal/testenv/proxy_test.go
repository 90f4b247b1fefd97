package testenv_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

// through returns a client that reaches a miniredis by a proxy, and one that
// does not need it. It does not retry and sends nothing of its own.
func through(t *testing.T) (p *testenv.Proxy, proxied, direct *redis.Client) {
	direct = testenv.Mini(t)
	p = testenv.NewProxy(t, direct.Options().Addr)
	proxied = redis.NewClient(&redis.Options{
		Addr: p.Addr(), MaxRetries: -1, PoolSize: 1, DisableIdentity: true,
	})
	t.Cleanup(func() { _ = proxied.Close() })
	return p, proxied, direct
}

func TestProxyPasses(t *testing.T) {
	p, c, _ := through(t)
	big := strings.Repeat("x", 1<<20)
	if err := c.Set(t.Context(), "k", big, 0).Err(); err != nil {
		t.Fatal(err)
	}
	before := p.Replies()
	got, err := c.Get(t.Context(), "k").Result()
	if err != nil || got != big {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if n := p.Replies() - before; n != 1 || p.Open() != 1 || p.Accepted() != 1 {
		t.Errorf("%d replies on %d of %d connections", n, p.Open(), p.Accepted())
	}
}

func TestProxyDelays(t *testing.T) {
	p, c, _ := through(t)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p.Delay(40*time.Millisecond, 10*time.Millisecond)
	start := time.Now()
	_, err := c.Pipelined(t.Context(), func(pipe redis.Pipeliner) error {
		for range 100 {
			pipe.Ping(t.Context())
		}
		return nil
	})
	if took := time.Since(start); err != nil || took < 60*time.Millisecond || took > 2*time.Second {
		t.Errorf("a pipeline took %v, %v; want one delay in each direction", took, err)
	}
}

func TestProxyHoles(t *testing.T) {
	for name, tt := range map[string]struct {
		hole    testenv.Direction
		arrives bool
	}{
		"to server": {testenv.ToServer, false},
		"to client": {testenv.ToClient, true},
		"both":      {testenv.Both, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, c, direct := through(t)
			if err := c.Ping(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
			p.Hole(tt.hole)
			answered := make(chan error, 1)
			go func() { answered <- c.Set(t.Context(), "k", 1, 0).Err() }()
			select {
			case err := <-answered:
				t.Fatalf("answered through a hole: %v", err)
			case <-time.After(100 * time.Millisecond):
			}
			if n := direct.Exists(t.Context(), "k").Val(); n == 1 != tt.arrives {
				t.Errorf("%d keys arrived", n)
			}
			p.Pass()
			if err := <-answered; err != nil {
				t.Errorf("after the hole: %v", err)
			}
		})
	}
}

func TestProxyResets(t *testing.T) {
	p, c, _ := through(t)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p.Hole(testenv.ToClient)
	answered := make(chan error, 1)
	go func() { answered <- c.Ping(context.Background()).Err() }()
	time.Sleep(20 * time.Millisecond)
	p.Reset()
	if err := <-answered; err == nil {
		t.Error("a reset connection answered")
	}
	p.Pass()
	if err := c.Ping(t.Context()).Err(); err != nil || p.Accepted() != 2 {
		t.Errorf("after the reset: %v, %d connections made", err, p.Accepted())
	}
}

func TestProxyCuts(t *testing.T) {
	p, c, direct := through(t)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	p.CutAfterReplies(2)
	for i, wantErr := range []bool{false, false, true, false} {
		if err := c.Incr(t.Context(), "n").Err(); (err != nil) != wantErr {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if n, _ := direct.Get(t.Context(), "n").Int(); n != 4 {
		t.Errorf("the server ran %d of 4 commands", n)
	}
}

// The half of a reply is no reply, and the next connection is whole.
func TestProxyCutsWithinAReply(t *testing.T) {
	p, c, direct := through(t)
	if err := direct.Set(t.Context(), "k", "a long value", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), "k").Err(); err != nil {
		t.Fatal(err)
	}
	p.CutWithinReply(1)
	for i, want := range []string{"a long value", "", "a long value"} {
		if got, err := c.Get(t.Context(), "k").Result(); got != want || (err != nil) != (want == "") {
			t.Errorf("call %d: %q, %v", i, got, err)
		}
	}
}

func TestProxyTargets(t *testing.T) {
	p, c, _ := through(t)
	if err := c.Set(t.Context(), "k", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	other := testenv.Mini(t)
	p.Target(other.Options().Addr)
	p.Reset()
	_ = c.Ping(t.Context()) // finds the broken connection
	if n, err := c.Exists(t.Context(), "k").Result(); n != 0 || err != nil {
		t.Errorf("still the first server: %d, %v", n, err)
	}
}
