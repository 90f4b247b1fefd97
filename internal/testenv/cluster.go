package testenv

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// The shape of a cluster: each master has one replica.
const (
	clusterMasters = 3
	clusterNodes   = 2 * clusterMasters
	clusterSlots   = 16384
)

// A Cluster is a Redis Cluster of one's own. Its nodes can be frozen, killed
// and restarted.
type Cluster struct {
	// Nodes began as three masters, followed by the replica of each.
	Nodes []*Server
}

// RedisCluster starts a cluster of six nodes, which ends with t. That takes two
// seconds; the replica of a master that was killed takes over within three.
func RedisCluster(t testing.TB) *Cluster {
	t.Helper()
	c, err := newCluster(t.Context(), t.TempDir(), time.Second)
	if err != nil {
		unavailable(t, err)
	}
	for _, n := range c.Nodes {
		n.stopWith(t)
	}
	return c
}

// newCluster starts a cluster whose nodes give each other up after patience.
func newCluster(ctx context.Context, dir string, patience time.Duration) (*Cluster, error) {
	c := &Cluster{}
	for i := range clusterNodes {
		n, err := newClusterNode(filepath.Join(dir, strconv.Itoa(i)), patience)
		if err != nil {
			c.stop()
			return nil, err
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.form(ctx); err != nil {
		c.stop()
		return nil, fmt.Errorf("form a cluster: %w", err)
	}
	return c, nil
}

func newClusterNode(dir string, patience time.Duration) (*Server, error) {
	return newServer("redis-server", dir,
		"--cluster-enabled", "yes", "--cluster-config-file", filepath.Join(dir, "nodes.conf"),
		"--cluster-node-timeout", strconv.FormatInt(patience.Milliseconds(), 10),
		"--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0")
}

func (c *Cluster) stop() {
	for _, n := range c.Nodes {
		n.stop()
	}
}

// form makes one cluster of nodes that do not know each other.
func (c *Cluster) form(ctx context.Context) error {
	ids := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		err := n.ask(ctx, func(ctx context.Context, r *redis.Client) (err error) {
			ids[i], err = c.introduce(ctx, r, i)
			return err
		})
		if err != nil {
			return err
		}
	}
	if err := await(ctx, startPatience, c.acquainted); err != nil {
		return err
	}
	for i, n := range c.Nodes[clusterMasters:] {
		err := n.ask(ctx, func(ctx context.Context, r *redis.Client) error {
			return r.ClusterReplicate(ctx, ids[i]).Err()
		})
		if err != nil {
			return err
		}
	}
	return await(ctx, startPatience, c.whole)
}

// introduce gives node i its slots, if it is to be a master, and lets it meet
// the nodes before it.
func (c *Cluster) introduce(ctx context.Context, r *redis.Client, i int) (id string, err error) {
	id, err = r.ClusterMyID(ctx).Result()
	if err == nil && i < clusterMasters {
		err = errors.Join(
			r.ClusterAddSlotsRange(ctx, i*clusterSlots/clusterMasters, (i+1)*clusterSlots/clusterMasters-1).Err(),
			r.Do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1).Err())
	}
	for _, other := range c.Nodes[:i] {
		err = errors.Join(err, r.ClusterMeet(ctx, "127.0.0.1", strconv.Itoa(other.port.number)).Err())
	}
	return id, err
}

// acquainted reports whether all nodes know all nodes, and all slots.
func (c *Cluster) acquainted(ctx context.Context) error {
	for _, n := range c.Nodes {
		err := n.ask(ctx, func(ctx context.Context, r *redis.Client) error {
			text, err := r.ClusterInfo(ctx).Result()
			said := fields(text)
			if err == nil && (said["cluster_known_nodes"] != strconv.Itoa(len(c.Nodes)) || said["cluster_state"] != "ok") {
				err = fmt.Errorf("%s knows %s nodes, state %s", n.Addr(), said["cluster_known_nodes"], said["cluster_state"])
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// whole reports whether every node that runs finds all slots at masters that
// run, and each replica is in step with its master.
func (c *Cluster) whole(ctx context.Context) error {
	masters := 0
	for _, n := range c.Nodes {
		if !n.Process().runs() {
			continue
		}
		err := n.ask(ctx, func(ctx context.Context, r *redis.Client) error {
			text, err := r.ClusterInfo(ctx).Result()
			if err != nil {
				return err
			}
			if state := fields(text)["cluster_state"]; state != "ok" {
				return fmt.Errorf("%s has state %s", n.Addr(), state)
			}
			said, err := info(ctx, r, "replication")
			if err != nil {
				return err
			}
			if said["role"] == "master" {
				masters++
			} else if said["master_link_status"] != "up" {
				return fmt.Errorf("%s has lost its master", n.Addr())
			}
			return c.reachable(ctx, r)
		})
		if err != nil {
			return err
		}
	}
	if masters < clusterMasters {
		return fmt.Errorf("%d masters run", masters)
	}
	return nil
}

// reachable reports whether r finds all slots at nodes that run.
func (c *Cluster) reachable(ctx context.Context, r *redis.Client) error {
	shards, err := r.ClusterShards(ctx).Result()
	if err != nil {
		return err
	}
	for _, shard := range shards {
		served := slices.ContainsFunc(shard.Nodes, func(member redis.Node) bool {
			n := c.node(loopback(int(member.Port)))
			return member.Role == "master" && n != nil && n.Process().runs() // the dead stay listed
		})
		if len(shard.Slots) > 0 && !served {
			return fmt.Errorf("no master of slots from %d runs", shard.Slots[0].Start)
		}
	}
	return nil
}

// node returns the node at addr.
func (c *Cluster) node(addr string) *Server {
	for _, n := range c.Nodes {
		if n.Addr() == addr {
			return n
		}
	}
	return nil
}

// Await waits until those nodes that run serve all slots, for at most 30
// seconds: after the death of a master, until its replica has taken over.
func (c *Cluster) Await(t testing.TB) {
	t.Helper()
	if err := await(t.Context(), 30*time.Second, c.whole); err != nil {
		t.Errorf("the cluster is not whole: %v", err)
	}
}

// Master returns the node that serves key now.
func (c *Cluster) Master(t testing.TB, key string) *Server {
	t.Helper()
	addr, err := c.Client(t).MasterForKey(t.Context(), key)
	if err != nil {
		t.Fatalf("master of %q: %v", key, err)
	}
	return c.node(addr.Options().Addr)
}

// Addrs are host and port of all nodes.
func (c *Cluster) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		addrs[i] = n.Addr()
	}
	return addrs
}

// URL names the cluster by all its nodes.
func (c *Cluster) URL() string { return "redis-cluster://" + strings.Join(c.Addrs(), ",") }

// Client returns a client that honours deadlines and is closed at the end of t.
// The options may be changed before it is made.
func (c *Cluster) Client(t testing.TB, change ...func(*redis.ClusterOptions)) *redis.ClusterClient {
	t.Helper()
	o := &redis.ClusterOptions{Addrs: c.Addrs(), ContextTimeoutEnabled: true}
	for _, ch := range change {
		ch(o)
	}
	client := redis.NewClusterClient(o)
	t.Cleanup(func() { _ = client.Close() })
	return client
}
