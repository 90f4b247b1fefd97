package redisstream

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

// A restart that lost nothing looks like one that lost what nobody has seen.
func TestServerRunIsTold(t *testing.T) {
	server := testenv.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	r := newRecord()
	s := newStream(t, server.Client(t), 0)
	start(t, s, ReaderOptions{AuditIdle: 50 * time.Millisecond}, r)
	appendAll(t, s, "1")
	r.want(t, "e1")
	server.Restart(t)
	r.want(t, "e1", "gap failover -1")
	appendAll(t, s, "2")
	r.want(t, "e1", "gap failover -1", "e2")
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.runs) != 2 || r.runs[0] == r.runs[1] {
		t.Errorf("runs %q, want two different ones", r.runs)
	}
}

// What a server acknowledged, a reader that was cut off did not see, and the server
// then lost, is a Gap, also where as many others stand in its place.
func TestLossOfWhatNobodyHasSeenIsAGap(t *testing.T) {
	for _, tail := range []bool{false, true} {
		t.Run("tail "+strconv.FormatBool(tail), func(t *testing.T) {
			server := testenv.Redis(t)
			proxy := testenv.NewProxy(t, server.Addr())
			via := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
			t.Cleanup(func() { _ = via.Close() })
			r := newRecord()
			start(t, newStream(t, via, 0), ReaderOptions{Tail: tail}, r)
			s := newStream(t, server.Client(t), 0)
			appendAll(t, s, "1")
			r.want(t, "e1")
			old := server.Snapshot(t)
			proxy.Hole(testenv.Both)
			appendAll(t, s, "lost", "lost")
			server.RestartFrom(t, old)
			appendAll(t, s, "2", "3", "4")
			proxy.Reset()
			proxy.Pass()
			r.want(t, "e1", "gap failover -1", "e2", "e3", "e4")
		})
	}
}

// A server that was the master, became a replica, and is the master again has the
// same run id, and may lack what it took before.
func TestMasterThatWasAReplicaIsAnother(t *testing.T) {
	first, second := testenv.Redis(t), testenv.Redis(t)
	a, b := first.Client(t), second.Client(t)
	r := newRecord()
	s := newStream(t, a, 0)
	appendAll(t, s, "0")
	follow := func(replica *redis.Client, of *testenv.Server) {
		host, port, err := net.SplitHostPort(of.Addr())
		if err != nil {
			t.Fatal(err)
		}
		if err := replica.ReplicaOf(t.Context(), host, port).Err(); err != nil {
			t.Fatal(err)
		}
		for !strings.Contains(replica.Info(t.Context(), "replication").Val(), "master_link_status:up") {
			if t.Context().Err() != nil {
				t.Fatal("the replica is not in step")
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	lead := func(c *redis.Client) {
		if err := c.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
			t.Fatal(err)
		}
	}
	follow(b, first)
	proxy := testenv.NewProxy(t, first.Addr())
	via := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = via.Close() })
	start(t, newStream(t, via, 0), ReaderOptions{}, r)
	appendAll(t, s, "1")
	r.want(t, "e1")
	if err := a.Wait(t.Context(), 1, 10*time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	proxy.Hole(testenv.Both)
	lead(b)
	appendAll(t, s, "lost") // the reader sees neither this nor the other master
	follow(a, second)
	lead(a)
	appendAll(t, s, "2")
	proxy.Reset()
	proxy.Pass()
	r.want(t, "e1", "gap failover -1", "e2")
}

// A push connection that still stands to a server whose successor was seen brings
// nothing more.
func TestPushesOfADeposedServerAreLeft(t *testing.T) {
	old, successor := testenv.Redis(t), testenv.Redis(t)
	proxy := testenv.NewProxy(t, old.Addr())
	via := redis.NewClient(&redis.Options{Addr: proxy.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = via.Close() })
	r := newRecord()
	start(t, newStream(t, via, 0), ReaderOptions{AuditIdle: 50 * time.Millisecond}, r)
	s := newStream(t, old.Client(t), 0)
	appendAll(t, s, "1")
	r.want(t, "e1")
	before := r.freshness()
	r.await(t, func([]string) bool { return r.freshness().After(before) }) // it has asked since
	successor.RestartFrom(t, old.Snapshot(t))
	proxy.Target(successor.Addr())
	if err := old.Client(t).ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	r.want(t, "e1", "gap failover -1")
	appendAll(t, s, "of the other branch")
	appendAll(t, newStream(t, successor.Client(t), 0), "2", "3")
	r.want(t, "e1", "gap failover -1", "e2", "e3")
}
