package cohort

import (
	"fmt"
	"strconv"

	"github.com/cohort-go/cohort/internal/amqpurl"
	"github.com/cohort-go/cohort/internal/envconf"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/redisurl"
)

// Config is what a node reads from its environment. It holds no secret in any
// form that can be printed.
type Config struct {
	// Namespace is the prefix of all keys, streams and queues.
	Namespace string
	// Cluster says that this process is one of several, and Nodes of how many
	// (0 = not said).
	Cluster bool
	Nodes   int
	// Serving is what this node takes on.
	Serving Serving
	// WorkerIDMin and WorkerIDMax are the range of worker numbers.
	WorkerIDMin, WorkerIDMax int
	// CacheMax is how many cache entries the node keeps in memory.
	CacheMax int
	// Worker, Cache, PubSub, Lock and Queue say where each area keeps its state.
	Worker, Cache, PubSub, Lock, Queue Adapter
}

// The kinds of [Adapter].
const (
	Memory   = "memory"
	Redis    = "redis"
	RabbitMQ = "rabbitmq"

	local = "local" // what LOCK_ADAPTER_DEFAULT calls memory
)

// Adapter says where an area keeps its state.
type Adapter struct {
	// Kind is Memory, Redis or RabbitMQ.
	Kind string
	// From is the variable that the address came from; "" for the default or a
	// client of the caller.
	From string

	redis  *redisurl.Target // nil: memory, RabbitMQ, or a client of the caller
	rabbit *amqpurl.Target
}

// Address returns the server without any secret, "" for memory or a client of
// the caller.
func (a Adapter) Address() string {
	switch {
	case a.redis != nil:
		return a.redis.String()
	case a.rabbit != nil:
		return a.rabbit.String()
	}
	return ""
}

// String returns kind and address, without any secret.
func (a Adapter) String() string {
	if addr := a.Address(); addr != "" {
		return a.Kind + " " + addr
	}
	return a.Kind
}

// FromEnv reads a Config from the variables of [Variables] by getenv,
// os.Getenv for instance. It checks everything and reports all problems in one
// error; it does no I/O.
func FromEnv(getenv func(string) string) (Config, error) { return readConfig(Options{Getenv: getenv}) }

// readConfig is FromEnv with what opts puts above the environment.
func readConfig(opts Options) (Config, error) {
	r := configReader{Reader: envconf.NewReader(opts.Getenv), ownClient: opts.Redis != nil}
	c := Config{
		WorkerIDMin: r.Int(envWorkerIDMin, 0, 0, maxWorkerID),
		WorkerIDMax: r.Int(envWorkerIDMax, 31, 0, maxWorkerID),
		CacheMax:    r.Int(envCacheMax, 2000, 1, 1<<31-1),
	}
	if c.WorkerIDMin > c.WorkerIDMax {
		r.Problem(envWorkerIDMin, "must not be above "+envWorkerIDMax)
	}
	if c.Namespace = opts.Namespace; c.Namespace == "" {
		c.Namespace, _ = r.First(envClusterNamespace)
	}
	if err := rediskey.Namespace(c.Namespace); err != nil {
		r.Problem(envClusterNamespace, err.Error())
	}
	c.Cluster, c.Nodes = r.clusterMode()
	c.Serving, _ = envconf.Check(r.Reader, ParseServing, "", envWorkerMode)

	c.Worker = Adapter{Kind: Memory}
	if url, _ := r.First(envRedisURL); url != "" || r.ownClient {
		c.Worker = r.redis(envRedisURL)
	}
	c.Cache = r.cache()
	c.PubSub = r.pubsub(c.Cluster)
	c.Lock = Adapter{Kind: Memory}
	if r.Enum(envLockAdapter, local, local, Redis) == Redis {
		c.Lock = r.redis(envLockRedisURL, envRedisURL)
	}
	c.Queue = r.queue()
	if c.Cluster {
		r.requireShared(c)
	}
	return c, r.Err()
}

// maxWorkerID is the largest number of 16 worker bits, the most that a layout has.
const maxWorkerID = 1<<16 - 1

type configReader struct {
	*envconf.Reader
	ownClient bool
}

func (r configReader) clusterMode() (on bool, nodes int) {
	v, _ := r.First(envClusterMode)
	if v == "" || v == "max" {
		return v != "", 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 {
		r.Problem(envClusterMode, "must be max or a number of processes from 1")
		return false, 0
	}
	return true, n
}

// redis is the adapter at the first of names that is set, else on this machine.
func (r configReader) redis(names ...string) Adapter {
	if r.ownClient {
		return Adapter{Kind: Redis}
	}
	target, from := envconf.Check(r.Reader, redisurl.Parse, localRedis, names...)
	return Adapter{Kind: Redis, From: from, redis: target}
}

func (r configReader) cache() Adapter {
	if r.Enum(envCacheStore, Memory, Memory, Redis) == Memory {
		return Adapter{Kind: Memory}
	}
	if url, _ := r.First(envCacheRedisURL, envRedisURL); url == "" && !r.ownClient {
		r.Problem(envCacheRedisURL, fmt.Sprintf("must be set, or %s, because %s is %s", envRedisURL, envCacheStore, Redis))
		return Adapter{Kind: Redis}
	}
	return r.redis(envCacheRedisURL, envRedisURL)
}

func (r configReader) pubsub(cluster bool) Adapter {
	unset := Memory
	if url, _ := r.First(envPubSubRedisURL, envRedisURL); url != "" || cluster || r.ownClient {
		unset = Redis
	}
	if r.Enum(envPubSubAdapter, unset, Memory, Redis) == Memory {
		return Adapter{Kind: Memory}
	}
	return r.redis(envPubSubRedisURL, envRedisURL)
}

func (r configReader) queue() Adapter {
	switch r.Enum(envQueueAdapter, Memory, Memory, Redis, RabbitMQ) {
	case Redis:
		return r.redis(envQueueRedisURL, envRedisURL)
	case RabbitMQ:
		target, from := envconf.Check(r.Reader, amqpurl.Parse, localRabbit, envQueueRabbitURL, envRabbitURL)
		return Adapter{Kind: RabbitMQ, From: from, rabbit: target}
	}
	return Adapter{Kind: Memory}
}

// requireShared reports each area that several processes would keep apart.
func (r configReader) requireShared(c Config) {
	for _, area := range []struct {
		adapter        Adapter
		variable, rule string
	}{
		{c.Worker, envRedisURL, "must be set: worker numbers are leased there"},
		{c.Cache, envCacheStore, "must be redis: a cache in memory is not shared"},
		{c.PubSub, envPubSubAdapter, "must be redis: signals in memory reach no other process"},
		{c.Lock, envLockAdapter, "must be redis: a local lock excludes no other process"},
		{c.Queue, envQueueAdapter, "must be redis or rabbitmq: a queue in memory is not shared"},
	} {
		if area.adapter.Kind == Memory {
			r.Problem(area.variable, area.rule+", and "+envClusterMode+" declares several")
		}
	}
}
