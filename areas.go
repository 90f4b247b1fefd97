package cohort

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/agreement"
	"github.com/cohort-go/cohort/internal/health"
	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
	"github.com/cohort-go/cohort/queue/queueredis"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// open opens connections, the worker number, the signals, and the rest, in this
// order.
func (n *Node) open(ctx context.Context, opts Options) error {
	clients := map[string]redis.UniversalClient{}
	sharers := map[redis.UniversalClient][]string{}
	for _, area := range n.config.areas() {
		n.announce(area)
		client, err := n.connect(ctx, area)
		if err != nil {
			return fmt.Errorf("cohort: %s: %w", area.name, err)
		}
		if client != nil {
			clients[area.name] = client
			sharers[client] = append(sharers[client], area.name)
		}
	}
	checks := opts.Checks
	for client, areas := range sharers {
		checks = append(checks, ping("redis of "+strings.Join(areas, ", "), client))
	}
	if client := clients["worker"]; client != nil && !opts.NoWorker {
		if err := n.agree(ctx, client); err != nil {
			return err
		}
	}
	if err := n.openWorker(ctx, opts, clients["worker"]); err != nil {
		return fmt.Errorf("cohort: worker: %w", err)
	}
	if n.identity != nil {
		checks = append(checks, Check{Name: "lease", Critical: true, Local: true, Probe: n.identity.ready})
	}
	var err error
	if n.pubsub, err = n.openPubSub(clients["pubsub"]); err != nil {
		return fmt.Errorf("cohort: pubsub: %w", err)
	}
	if n.locker, err = n.openLocker(clients["lock"]); err != nil {
		return fmt.Errorf("cohort: lock: %w", err)
	}
	if n.store, err = n.openStore(clients["cache"]); err != nil {
		return fmt.Errorf("cohort: cache: %w", err)
	}
	n.redisQueues = clients["queue"]
	if n.config.Queue.Kind == RabbitMQ {
		if err := n.openRabbit(ctx); err != nil {
			return fmt.Errorf("cohort: queue: %w", err)
		}
		checks = append(checks, Check{Name: "rabbitmq of queue", Probe: n.rabbit.Ping})
	}
	n.health = health.New(checks...)
	n.group.Go("health checks", n.health.Run)
	n.health.Started()
	return nil
}

// agree refuses to start beside nodes with other settings, and then keeps its own
// in force.
func (n *Node) agree(ctx context.Context, client redis.UniversalClient) error {
	settings := agreement.New(client, n.config.Namespace, n.config.settings())
	switch differing, err := settings.Reach(ctx); {
	case err != nil:
		return fmt.Errorf("cohort: compare the configuration with that of other nodes: %w", err)
	case differing != nil:
		return &ConfigMismatchError{Variables: differing}
	}
	n.group.Go("settings", func(ctx context.Context) { settings.Keep(ctx, n.log) })
	return nil
}

// area is one area with its adapter.
type area struct {
	name    string
	adapter Adapter
}

func (c Config) areas() []area {
	return []area{
		{"worker", c.Worker}, {"pubsub", c.PubSub}, {"lock", c.Lock}, {"cache", c.Cache}, {"queue", c.Queue},
	}
}

func (n *Node) announce(a area) {
	n.log.Info("area", "name", a.name, "adapter", a.adapter.Kind, "server", a.adapter.Address(), "from", a.adapter.From)
}

// connect returns the client of an area on Redis, nil for another.
func (n *Node) connect(ctx context.Context, a area) (redis.UniversalClient, error) {
	if a.adapter.Kind != Redis {
		return nil, nil //nolint:nilnil // no client is what an area in memory has
	}
	if n.shared != nil {
		return n.shared, nil
	}
	conn, err := n.pools.Open(ctx, a.adapter.redis.Reveal())
	if err != nil {
		return nil, err
	}
	n.conns = append(n.conns, conn)
	if err := redisconn.CheckVersion(ctx, conn.Client()); err != nil {
		n.log.Warn("server may be too old", "area", a.name, "server", conn.String(), "error", err)
	}
	return conn.Client(), nil
}

// ping is the check of a server that all nodes share: not critical, because a
// load balancer that takes all nodes away helps nobody.
func ping(name string, client redis.UniversalClient) Check {
	return Check{Name: name, Probe: func(ctx context.Context) error { return client.Ping(ctx).Err() }}
}

func (n *Node) openWorker(ctx context.Context, opts Options, client redis.UniversalClient) error {
	layout := opts.Layout
	if layout == (snowflake.Layout{}) {
		layout = snowflake.Compat53()
	}
	terms := workerid.Options{
		First:  n.config.WorkerIDMin,
		Count:  n.config.WorkerIDMax - n.config.WorkerIDMin + 1,
		Layout: layout.String(),
		Fresh:  opts.Fresh,
		Hooks:  n.hooks.Worker,
		Logger: n.log,
	}
	terms.MaxTick = max(layout.Tick, time.Second)
	var numbers workerid.Allocator
	var request workerid.Request
	var err error
	if client == nil {
		request.Preferred = new(terms.First + rand.IntN(terms.Count))
		numbers, err = workerid.NewMemory(terms)
	} else {
		numbers, err = workeridredis.New(client, workeridredis.Options{Options: terms, Namespace: n.config.Namespace})
	}
	if err != nil {
		return err
	}
	n.numbers = numbers
	if opts.NoWorker {
		return nil
	}
	n.identity, err = newIdentity(ctx, numbers, request, layout, n.log)
	if err != nil {
		return err
	}
	n.group.Go("worker number", n.identity.keep)
	n.log.Info("worker number", "worker", n.Worker().ID())
	return nil
}

func (n *Node) openPubSub(client redis.UniversalClient) (pubsub.PubSub, error) {
	opts := pubsub.Options{Hooks: n.hooks.PubSub, Logger: n.log}
	if client == nil {
		return pubsub.NewMemory(opts)
	}
	return pubsubredis.New(client, pubsubredis.Options{Options: opts, Namespace: n.config.Namespace})
}

func (n *Node) openLocker(client redis.UniversalClient) (lock.Locker, error) {
	opts := lock.Options{Hooks: n.hooks.Lock, Logger: n.log}
	if client == nil {
		return lock.NewMemory(opts)
	}
	return lockredis.New(client, lockredis.Options{Options: opts, Namespace: n.config.Namespace})
}

func (n *Node) openStore(client redis.UniversalClient) (cache.Store, error) {
	if client == nil {
		return cache.NewMemory(cache.MemoryOptions{})
	}
	return cacheredis.New(client, cacheredis.Options{Namespace: n.config.Namespace, Logger: n.log})
}

// Cache returns the cache whose entries lie under name, the same at each call.
func (n *Node) Cache(name string) (*cache.Cache, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return once(n, n.caches, name, func() (*cache.Cache, error) {
		return cache.New(n.store, cache.Options{
			Prefix: name, L1: cache.L1{MaxEntries: n.config.CacheMax}, Hooks: n.hooks.cache(name), Logger: n.log,
		})
	})
}

// Queue returns the queue of that name, the same at each call.
func (n *Node) Queue(name string) (queue.Queue, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return once(n, n.queues, name, func() (queue.Queue, error) { return n.openQueue(name) })
}

// openRabbit connects to RabbitMQ, which must be new enough.
func (n *Node) openRabbit(ctx context.Context) (err error) {
	n.rabbit, err = queuerabbit.NewConn(queuerabbit.ConnOptions{Logger: n.log}, n.config.Queue.rabbit.Reveal())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return n.rabbit.Ping(ctx)
}

func (n *Node) openQueue(name string) (queue.Queue, error) {
	opts := queue.Options{Hooks: n.hooks.queue(name), Logger: n.log}
	if n.config.Queue.Kind == Redis {
		return queueredis.New(n.redisQueues, name, queueredis.Options{Options: opts, Namespace: n.config.Namespace})
	}
	if n.rabbit != nil {
		return queuerabbit.New(n.rabbit, name, queuerabbit.Options{Options: opts, Namespace: n.config.Namespace})
	}
	return queue.NewMemory(name, queue.MemoryOptions{Options: opts})
}

// once returns what open made the first time for name. The caller holds n.mu.
func once[T any](n *Node, made map[string]T, name string, open func() (T, error)) (T, error) {
	v, ok := made[name]
	if ok {
		return v, nil
	}
	if n.closed {
		return v, ErrClosed
	}
	v, err := open()
	if err == nil {
		made[name] = v
	}
	return v, err
}
