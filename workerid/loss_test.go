package workerid_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

// The gap that fineOptions leave after a loss of data, and how long it takes at
// most until a node notices one.
const (
	gap    = 530 * time.Millisecond
	notice = 200 * time.Millisecond
)

// A crew is two nodes that hold both numbers of a server that loses data.
type crew struct {
	*fleet

	server *testenv.Server // the one that is used now
	nodes  []*member
	ways   []*testenv.Proxy // from each node to the server
	born   int
}

func newCrew(t *testing.T, server *testenv.Server) *crew {
	t.Helper()
	c := &crew{fleet: newFleet(t), server: server}
	c.nodes, c.ways = c.hire()
	for _, n := range c.nodes {
		n.commandf("go")
		n.await("lease")
	}
	return c
}

// hire starts two nodes that wait for their first line of input.
func (c *crew) hire() (nodes []*member, ways []*testenv.Proxy) {
	c.t.Helper()
	for range 2 {
		c.born++
		way := testenv.NewProxy(c.t, c.server.Addr())
		ways = append(ways, way)
		nodes = append(nodes, c.start("node "+strconv.Itoa(c.born), "-addr", way.Addr(), "-count", "2", "-stream", "-hold"))
	}
	for _, n := range nodes {
		n.await("ready")
	}
	return nodes, ways
}

// survive lets the server lose what it knows of both numbers, while their holders
// cannot reach it: two new nodes lease them, and all four make IDs at once.
func (c *crew) survive(lose func()) {
	c.t.Helper()
	for _, n := range c.nodes {
		n.more(100)
	}
	old, oldWays := c.nodes, c.ways
	c.nodes, c.ways = c.hire()
	for _, way := range oldWays {
		way.Hole(testenv.Both)
	}
	lose()
	for _, way := range c.ways {
		way.Target(c.server.Addr())
	}
	for _, n := range c.nodes {
		n.commandf("go")
	}
	for _, n := range c.nodes {
		n.await("lease")
		n.more(100)
	}
	for i, n := range old {
		oldWays[i].Target(c.server.Addr())
		oldWays[i].Reset()
		oldWays[i].Pass()
		n.await("lost")
		n.Kill()
	}
	time.Sleep(2*gap + notice)
}

func TestFlush(t *testing.T) {
	t.Parallel()
	c := newCrew(t, testenv.Redis(t))
	client := c.server.Client(t)
	for range 3 {
		c.survive(func() {
			if err := client.FlushAll(t.Context()).Err(); err != nil {
				t.Fatal(err)
			}
		})
	}
	c.report()
}

// TestOldSnapshot restarts the server with data in which all leases have ended.
func TestOldSnapshot(t *testing.T) {
	t.Parallel()
	c := newCrew(t, testenv.Redis(t))
	for range 3 {
		old := c.server.Snapshot(t)
		time.Sleep(lease)
		c.survive(func() { c.server.RestartFrom(t, old) })
	}
	c.report()
}

// TestSwitchover changes the server there and back. The one that takes over has
// stopped copying a while ago.
func TestSwitchover(t *testing.T) {
	t.Parallel()
	fast := []string{"--repl-diskless-sync-delay", "0"}
	pair := [2]*testenv.Server{testenv.Redis(t, fast...), testenv.Redis(t, fast...)}
	c := newCrew(t, pair[0])
	for round := range 4 {
		from, to := pair[round%2], pair[(round+1)%2]
		replicate(t, to, from)
		if err := to.Client(t).ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(lease)
		c.survive(func() { c.server = to })
	}
	c.report()
}

// replicate makes to a replica of from and waits until it has everything.
func replicate(t *testing.T, to, from *testenv.Server) {
	t.Helper()
	client := to.Client(t)
	var port int
	if _, err := fmt.Sscanf(from.Addr(), "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	if err := client.ReplicaOf(t.Context(), "127.0.0.1", strconv.Itoa(port)).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !linked(ctx, t, client) {
		time.Sleep(10 * time.Millisecond)
	}
}

func linked(ctx context.Context, t *testing.T, client *redis.Client) bool {
	t.Helper()
	role, err := client.Do(ctx, "ROLE").Slice()
	if err != nil {
		t.Fatal(err)
	}
	return len(role) > 3 && role[0] == "slave" && role[3] == "connected"
}
