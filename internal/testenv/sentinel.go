package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// The shape of a set of sentinels, two of which agree on a master's death.
const (
	sentinelCount  = 3
	sentinelQuorum = 2
	sentinelNodes  = 3
)

// MasterName is what sentinels know the master by.
const MasterName = "cohort"

// A SentinelSet is a master and two replicas, watched by three sentinels. All
// of them can be frozen, killed and restarted.
type SentinelSet struct {
	// Nodes began as the master, followed by its replicas.
	Nodes     []*Server
	Sentinels []*Server
}

// Sentinel starts a set, which ends with t. When its master dies or freezes, a
// replica takes over within about two seconds.
func Sentinel(t testing.TB) *SentinelSet {
	t.Helper()
	s, err := newSentinelSet(t.Context(), t.TempDir(), time.Second)
	if err != nil {
		unavailable(t, err)
	}
	for _, server := range append(s.Nodes, s.Sentinels...) {
		server.stopWith(t)
	}
	return s
}

// newSentinelSet starts a set whose sentinels give the master up after patience.
func newSentinelSet(ctx context.Context, dir string, patience time.Duration) (*SentinelSet, error) {
	s := &SentinelSet{}
	err := s.start(ctx, dir, patience)
	if err == nil {
		err = await(ctx, startPatience, s.whole)
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *SentinelSet) start(ctx context.Context, dir string, patience time.Duration) error {
	for i := range sentinelNodes {
		args := []string{"--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}
		if i > 0 {
			args = append(args, "--replicaof", "127.0.0.1", strconv.Itoa(s.Nodes[0].port.number))
		}
		n, err := newServer("redis-server", filepath.Join(dir, "node"+strconv.Itoa(i)), args...)
		if err != nil {
			return err
		}
		s.Nodes = append(s.Nodes, n)
	}
	for i := range sentinelCount {
		n, err := s.newSentinel(filepath.Join(dir, "sentinel"+strconv.Itoa(i)), patience)
		if err != nil {
			return err
		}
		s.Sentinels = append(s.Sentinels, n)
		if err := n.ask(ctx, hurry); err != nil {
			return err
		}
	}
	return nil
}

// hurry has a sentinel look around more often than every ten seconds, so that
// what takes a minute in production takes seconds here.
func hurry(ctx context.Context, c *redis.Client) error {
	return c.Do(ctx, "SENTINEL", "DEBUG",
		"INFO-PERIOD", 200, "PUBLISH-PERIOD", 200, "ASK-PERIOD", 200, "SLAVE-RECONF-TIMEOUT", 2000).Err()
}

func (s *SentinelSet) newSentinel(dir string, patience time.Duration) (*Server, error) {
	return newProgram("redis-server", dir, func(port int, dir string) ([]string, error) {
		lines := []string{
			fmt.Sprintf("port %d", port), "bind 127.0.0.1", "dir " + dir,
			fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d %d", MasterName, s.Nodes[0].port.number, sentinelQuorum),
			fmt.Sprintf("sentinel down-after-milliseconds %s %d", MasterName, patience.Milliseconds()),
			fmt.Sprintf("sentinel failover-timeout %s %d", MasterName, 5*patience.Milliseconds()),
			fmt.Sprintf("sentinel parallel-syncs %s %d", MasterName, sentinelNodes-1),
		}
		for _, replica := range s.Nodes[1:] {
			lines = append(lines, fmt.Sprintf("sentinel known-replica %s 127.0.0.1 %d", MasterName, replica.port.number))
		}
		config := filepath.Join(dir, "sentinel.conf")
		return []string{config, "--sentinel"}, os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
	})
}

func (s *SentinelSet) stop() {
	for _, server := range append(s.Sentinels, s.Nodes...) {
		server.stop()
	}
}

// Master returns the node that the sentinels name as master now; it may have
// died a moment ago.
func (s *SentinelSet) Master(t testing.TB) *Server {
	t.Helper()
	master, err := s.master(t.Context())
	if err != nil {
		t.Fatalf("master: %v", err)
	}
	return master
}

// master returns the node that all sentinels that run agree on.
func (s *SentinelSet) master(ctx context.Context) (*Server, error) {
	named := map[string]bool{}
	for _, sentinel := range s.Sentinels {
		if !sentinel.Process().runs() {
			continue
		}
		err := sentinel.ask(ctx, func(ctx context.Context, c *redis.Client) error {
			addr, err := c.Do(ctx, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", MasterName).StringSlice()
			if err == nil {
				named[strings.Join(addr, ":")] = true
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	for _, n := range s.Nodes {
		if named[n.Addr()] && len(named) == 1 {
			return n, nil
		}
	}
	return nil, fmt.Errorf("the sentinels name %v", named)
}

// Failover has the sentinels make a replica the master, and waits until that is
// done and the old master, too, follows the new one.
func (s *SentinelSet) Failover(t testing.TB) {
	t.Helper()
	old := s.Master(t)
	err := s.Sentinels[0].ask(t.Context(), func(ctx context.Context, c *redis.Client) error {
		return c.Do(ctx, "SENTINEL", "FAILOVER", MasterName).Err()
	})
	if err != nil {
		t.Errorf("failover: %v", err)
		return
	}
	s.AwaitOther(t, old)
}

// FailoverLosing calls write while the replicas are cut off from the master,
// kills the master, and waits until a replica has taken over: what write wrote
// was acknowledged, and is lost.
func (s *SentinelSet) FailoverLosing(t testing.TB, write func()) {
	t.Helper()
	master := s.Master(t)
	var replicas []*Server
	for _, n := range s.Nodes {
		if n != master && n.Process().runs() {
			n.Freeze()
			replicas = append(replicas, n)
		}
	}
	// what reaches a frozen replica waits in its socket, so that has to go
	err := master.ask(t.Context(), func(ctx context.Context, c *redis.Client) error {
		return c.ClientKillByFilter(ctx, "TYPE", "replica").Err()
	})
	if err != nil {
		t.Errorf("cut replicas off: %v", err)
	}
	write()
	master.Kill()
	for _, n := range replicas {
		n.Thaw()
	}
	s.AwaitOther(t, master)
}

// AwaitOther waits until a node other than old is master and all nodes that run
// follow it, for at most 30 seconds.
func (s *SentinelSet) AwaitOther(t testing.TB, old *Server) {
	t.Helper()
	err := await(t.Context(), 30*time.Second, func(ctx context.Context) error {
		if master, err := s.master(ctx); err != nil || master == old {
			return errors.Join(errors.New("no other master"), err)
		}
		return s.whole(ctx)
	})
	if err != nil {
		t.Errorf("failover: %v", err)
	}
}

// Await waits until a master runs and all other nodes that run follow it, for
// at most 30 seconds.
func (s *SentinelSet) Await(t testing.TB) {
	t.Helper()
	if err := await(t.Context(), 30*time.Second, s.whole); err != nil {
		t.Errorf("the set is not whole: %v", err)
	}
}

// whole reports whether the sentinels agree on a master that runs, and know each
// other, and all other nodes that run are in step with it.
func (s *SentinelSet) whole(ctx context.Context) error {
	master, err := s.master(ctx)
	if err != nil {
		return err
	}
	if !master.Process().runs() {
		return fmt.Errorf("the master is %s, which does not run", master.Addr())
	}
	for _, n := range s.Nodes {
		if !n.Process().runs() {
			continue
		}
		err := n.ask(ctx, func(ctx context.Context, c *redis.Client) error {
			said, err := info(ctx, c, "replication")
			switch {
			case err != nil:
				return err
			case n == master && said["role"] != "master":
				return fmt.Errorf("%s is not yet master", n.Addr())
			case n != master && (said["master_port"] != strconv.Itoa(master.port.number) || said["master_link_status"] != "up"):
				return fmt.Errorf("%s does not follow %s", n.Addr(), master.Addr())
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return s.acquainted(ctx)
}

// acquainted reports whether the sentinels that run reach enough of each other
// to agree on a failover, and know the other nodes.
func (s *SentinelSet) acquainted(ctx context.Context) error {
	for _, sentinel := range s.Sentinels {
		if !sentinel.Process().runs() {
			continue
		}
		err := sentinel.ask(ctx, func(ctx context.Context, c *redis.Client) error {
			said, err := c.Do(ctx, "SENTINEL", "MASTER", MasterName).Result()
			if err != nil {
				return err
			}
			m, _ := said.(map[any]any)
			if m["flags"] != "master" || m["num-other-sentinels"] != strconv.Itoa(sentinelCount-1) ||
				m["num-slaves"] != strconv.Itoa(sentinelNodes-1) {
				return fmt.Errorf("%s sees master %v, %v others, %v replicas",
					sentinel.Addr(), m["flags"], m["num-other-sentinels"], m["num-slaves"])
			}
			return c.Do(ctx, "SENTINEL", "CKQUORUM", MasterName).Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Addrs are host and port of the sentinels.
func (s *SentinelSet) Addrs() []string {
	addrs := make([]string, len(s.Sentinels))
	for i, n := range s.Sentinels {
		addrs[i] = n.Addr()
	}
	return addrs
}

// URL names the set by its sentinels.
func (s *SentinelSet) URL() string {
	return "redis-sentinel://" + strings.Join(s.Addrs(), ",") + "/0?master_name=" + MasterName
}

// Client returns a client that follows the master, honours deadlines and is
// closed at the end of t. The options may be changed before it is made.
func (s *SentinelSet) Client(t testing.TB, change ...func(*redis.FailoverOptions)) *redis.Client {
	t.Helper()
	o := &redis.FailoverOptions{MasterName: MasterName, SentinelAddrs: s.Addrs(), ContextTimeoutEnabled: true}
	for _, ch := range change {
		ch(o)
	}
	client := redis.NewFailoverClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
