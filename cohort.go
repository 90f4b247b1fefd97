// Package cohort opens a node of a cluster from environment variables: cache,
// signals, locks, queues, a worker number and unique IDs, each in memory or
// shared, with health checks and an orderly end.
//
//	node, err := cohort.Open(ctx, cohort.Options{})
//	if err != nil {
//		return err
//	}
//	return node.Run(ctx, cohort.RunOptions{}, func(ctx context.Context) error {
//		return serve(ctx, node)
//	})
//
// [Variables] lists what is read, and the README explains it. The packages
// that a Node hands out are usable without it; a program that uses their
// memory backends alone links neither Redis nor RabbitMQ.
//
// # Life
//
// [Open] checks all variables before it connects anywhere. It opens connections,
// then leases the worker number, then joins the signals, then the rest. After a
// lost lease the Node takes another number by itself, and the generator goes on
// with it.
//
// [Node.Close] ends in the other order: the node is not ready any more; queues
// take nothing new and their workers finish or give back; signals end; locks are
// released; the worker number is given back last, when nothing of this node can
// make an ID any more; then connections close.
//
// # Rights
//
// A user of Redis with restricted rights needs what the areas' packages list under
// this heading, for each area on that server, and where the worker numbers are
//
//	~<namespace>:node:*
//	+eval +evalsha +get +set
//	+ping   for the health checks
//	+info   to warn about a server that is too old
package cohort

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/internal/lifecycle"
	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queuerabbit"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// ErrClosed reports use of a Node after Close.
var ErrClosed = errors.New("node closed")

// Options tune a Node. The zero value of each field means its default; what is
// set here wins over the environment.
type Options struct {
	// Getenv reads a variable. Default os.Getenv.
	Getenv func(name string) string
	// Redis is used for every area that is on Redis, instead of their URLs. It
	// is borrowed: Close leaves it open.
	Redis redis.UniversalClient
	// Namespace is the prefix of all keys, streams and queues.
	Namespace string
	// Layout is that of the IDs. Default [snowflake.Compat53].
	Layout snowflake.Layout
	// Fresh says that nothing has ever used this namespace; see
	// [workerid.Options].
	Fresh bool
	// NoWorker is for tools that only look at a cluster: the Node takes no worker
	// number, Worker and IDs are nil, and its settings are not compared with those
	// of the nodes that run.
	NoWorker bool
	// Hooks observe what the areas do. Default: none.
	Hooks Hooks
	// Checks are the application's own health checks.
	Checks []Check
	// Logger receives one line per area at the start, and what happens in the
	// background. Default: discard.
	Logger *slog.Logger
}

// Node is one process of a service. All methods are safe for concurrent use.
type Node struct {
	config Config
	hooks  Hooks
	log    *slog.Logger
	group  *lifecycle.Group
	health *Health
	pools  *redisconn.Pools

	conns       []*redisconn.Conn
	shared      redis.UniversalClient // Options.Redis
	redisQueues redis.UniversalClient // nil unless queues are on Redis
	rabbit      *queuerabbit.Conn     // nil unless they are on RabbitMQ
	pubsub      pubsub.PubSub
	locker      lock.Locker
	store       cache.Store
	numbers     workerid.Allocator
	identity    *identity // nil with Options.NoWorker

	mu     sync.Mutex
	closed bool // no further caches and queues
	caches map[string]*cache.Cache
	queues map[string]queue.Queue

	closing  sync.Once
	closeErr error
}

// Open reads the configuration and opens a Node. All problems of the
// configuration come in one error before the first connection. It waits for
// servers as long as ctx allows, five seconds each if ctx has no deadline; where
// it fails nothing stays open.
func Open(ctx context.Context, opts Options) (*Node, error) {
	if opts.Getenv == nil {
		opts.Getenv = os.Getenv
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	config, err := readConfig(opts)
	if err != nil {
		return nil, errors.Join(errConfig, err)
	}
	n := &Node{
		config: config,
		hooks:  opts.Hooks,
		log:    opts.Logger,
		group:  lifecycle.New(ErrClosed),
		pools:  redisconn.NewPools(),
		shared: opts.Redis,
		caches: map[string]*cache.Cache{},
		queues: map[string]queue.Queue{},
	}
	if err := n.open(ctx, opts); err != nil {
		return nil, errors.Join(err, n.Close(ctx))
	}
	return n, nil
}

// errConfig heads the list of problems.
var errConfig = errors.New("cohort: the configuration has problems")

// Config returns what the Node was opened with.
func (n *Node) Config() Config { return n.config }

// PubSub returns the signals. Close of the Node closes it.
func (n *Node) PubSub() pubsub.PubSub { return n.pubsub }

// Locker returns the locks. Close of the Node closes it.
func (n *Node) Locker() lock.Locker { return n.locker }

// Worker returns the worker number that the Node holds now. After its loss the
// Node takes another; ask again rather than keep it.
func (n *Node) Worker() *workerid.Lease {
	if n.identity == nil {
		return nil
	}
	return n.identity.lease.Load()
}

// IDs returns the generator of IDs. It stays the same when the worker number
// changes.
func (n *Node) IDs() *snowflake.Generator {
	if n.identity == nil {
		return nil
	}
	return n.identity.ids
}

// Serving reports whether this node works on the tasks of topic.
func (n *Node) Serving(topic string) bool { return n.config.Serving.Topic(topic) }
