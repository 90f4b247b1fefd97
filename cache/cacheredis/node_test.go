package cacheredis_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/testenv"
)

// bound is the MaxStaleness of these tests.
const bound = time.Second

// grace is what the machine may add.
const grace = 50 * time.Millisecond

// node is a typed cache over a Store of its own.
type node struct {
	*cache.Typed[string]
	store *cacheredis.Store
}

func newNode(t *testing.T, c redis.UniversalClient, o cacheredis.Options, p cache.Policy, down cache.Down) node {
	t.Helper()
	s := newStore(t, c, o)
	co := must[*cache.Cache](t)(cache.New(s, cache.Options{
		Prefix: "t", L1: cache.L1{MaxStaleness: bound}, Down: down,
	}))
	t.Cleanup(func() { _ = co.Close(context.Background()) })
	if p.TTL == 0 {
		p.TTL = time.Hour
	}
	return node{must[*cache.Typed[string]](t)(cache.Of(co, cache.JSON[string](), p)), s}
}

func (n node) set(t *testing.T, key, value string) {
	t.Helper()
	if err := n.Set(t.Context(), key, value); err != nil {
		t.Fatalf("Set: %v", err)
	}
}

// get returns the value, "-" for none and "!" for an error.
func (n node) get(t *testing.T, key string) string {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	v, err := n.Get(ctx, key)
	if errors.Is(err, cache.ErrNotFound) {
		return "-"
	}
	if err != nil {
		return "!"
	}
	return v
}

// warm waits until key is served from the process.
func (n node) warm(t *testing.T, key string) {
	t.Helper()
	waitFor(t, "a hit in the process", func() bool {
		f, err := n.Lookup(t.Context(), key)
		return err == nil && f.Source == cache.FromL1
	})
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("never happened: %s", what)
}

// split returns a client whose listeners, unlike its calls, pass through a proxy:
// connections made from now on do.
func split(t *testing.T, srv *testenv.Server) (*redis.Client, *testenv.Proxy) {
	proxy := testenv.NewProxy(t, srv.Addr())
	var indirect atomic.Bool
	c := srv.Client(t, func(o *redis.Options) {
		o.PoolSize, o.MinIdleConns = 4, 4
		o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if indirect.Load() {
				addr = proxy.Addr()
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
	})
	waitFor(t, "all connections", func() bool { c.Ping(t.Context()); return c.PoolStats().IdleConns >= 4 })
	indirect.Store(true)
	return c, proxy
}

// lastOld reads key until the given time after a change, and returns when the older
// value was seen last.
func (n node) lastOld(t *testing.T, key string, changed time.Time, during time.Duration) (last time.Duration) {
	for time.Since(changed) < during {
		began := time.Now()
		if n.get(t, key) == "old" {
			last = began.Sub(changed)
		}
		time.Sleep(time.Millisecond)
	}
	return last
}
