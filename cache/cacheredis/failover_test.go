package cacheredis_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
)

// opened returns a client as programs get it from a URL: it follows the slots of a
// cluster.
func opened(t *testing.T, url string) redis.UniversalClient {
	pools := redisconn.NewPools()
	conn := must[*redisconn.Conn](t)(pools.Open(t.Context(), url))
	t.Cleanup(func() { _ = conn.Close() })
	return conn.Client()
}

// works reports whether n writes, reads, and serves key from the process again.
func (n node) works(ctx context.Context, key, value string) bool {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	if n.Set(ctx, key, value) != nil {
		return false
	}
	f, err := n.Lookup(ctx, key)
	return err == nil && f.Value == value && f.Source == cache.FromL1
}

// TestMasterOfClusterDies: the keys of all masters work again soon after a replica
// took over, and no value from before a lost write comes back.
func TestMasterOfClusterDies(t *testing.T) {
	servers := testenv.RedisCluster(t)
	var nodes []node
	for range 2 {
		nodes = append(nodes, newNode(t, opened(t, servers.URL()), cacheredis.Options{}, cache.Policy{}, cache.Bypass))
	}
	keys := make([]string, 12)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
		nodes[0].set(t, keys[i], "old")
		nodes[1].warm(t, keys[i])
		nodes[0].set(t, keys[i], "new")
	}
	servers.Master(t, "cohort:cache:{0}:meta").Kill()
	servers.Await(t)
	began := time.Now()
	for _, n := range nodes {
		for _, key := range keys {
			waitFor(t, key+" to work", func() bool { return n.works(t.Context(), key, "newer") })
		}
	}
	t.Logf("all keys work on both nodes %v after the cluster does", time.Since(began))
	for _, n := range nodes {
		for _, key := range keys {
			if got := n.get(t, key); got != "newer" {
				t.Errorf("%s reads %q", key, got)
			}
		}
	}
}

// TestAnotherServerMakesCopiesProve: after a restart a node drops the copies that it
// made before, whatever was lost. The entries themselves count on if the caller says so.
func TestAnotherServerMakesCopiesProve(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprint("keep ", keep), func(t *testing.T) {
			srv := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
			n := newNode(t, srv.Client(t), cacheredis.Options{KeepOnFailover: keep}, cache.Policy{}, cache.Bypass)
			n.set(t, "k", "v")
			n.warm(t, "k")
			before := n.Cache().Stats().Resets
			srv.Restart(t)
			waitFor(t, "the copies to be dropped", func() bool { return n.Cache().Stats().Resets > before })
			waitFor(t, "proof", func() bool { return n.Cache().Fresh("k") })
			want := "-"
			if keep {
				want = "v"
			}
			if got := n.get(t, "k"); got != want {
				t.Errorf("it reads %q, want %q", got, want)
			}
			waitFor(t, "a write", func() bool { return n.works(t.Context(), "k", "newest") })
		})
	}
}

// TestFailoverLosesAWrite: a replica without the last acknowledged write becomes the
// master. What it has in its place is older, and does not come back.
func TestFailoverLosesAWrite(t *testing.T) {
	servers := testenv.Sentinel(t)
	a := newNode(t, servers.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	b := newNode(t, servers.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	a.set(t, "k", "old")
	b.warm(t, "k")
	if err := servers.Master(t).Client(t).Wait(t.Context(), 1, 5*time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	servers.FailoverLosing(t, func() { a.set(t, "k", "new") })
	time.Sleep(bound) // no proof from before counts any more
	for i, n := range []node{a, b} {
		waitFor(t, "proof", func() bool { return n.Cache().Fresh("k") })
		if got := n.get(t, "k"); got == "old" {
			t.Errorf("node %d reads the older value", i)
		}
	}
	waitFor(t, "a write", func() bool { return a.works(t.Context(), "k", "newest") })
	b.warm(t, "k")
	if got := b.get(t, "k"); got != "newest" {
		t.Errorf("the other node reads %q", got)
	}
}
