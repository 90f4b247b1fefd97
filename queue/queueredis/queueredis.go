// Package queueredis keeps queues in Redis 7 or 8, Valkey 8, a Redis Cluster or
// behind Sentinels.
//
// A message is safe once Enqueue returned nil, as far as Redis is: with
// appendfsync everysec a crash of Redis can lose a second, a failover what was not
// replicated ([Options.Replicas] waits for that). Set maxmemory-policy to
// noeviction; New warns in the log about another one.
//
// All keys of a queue are in one hash slot, so one queue uses one core of Redis:
// [Options.Shards] spreads one whose order does not matter over several.
//
// # Rights
//
// A user with restricted rights needs
//
//	~<namespace>:queue:*
//	+eval +evalsha +time +blpop +exists
//	+hget +hset +hsetnx +hmget +hgetall +hdel +hlen +hexists
//	+hincrby +hincrbyfloat +hstrlen
//	+lpush +rpush +lpop +llen +lrange +lindex +lrem
//	+zadd +zrem +zcard +zscore +zmscore +zrange +zrangebyscore +zrangebylex +zscan
//	+wait         with Options.Replicas
//	+config|get   to warn about maxmemory-policy
//	+scan         for Names
package queueredis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediserr"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/queue"
)

// Options tune a Queue. The zero value of each field means its default.
type Options struct {
	queue.Options
	// Namespace prefixes all keys. Default "cohort".
	Namespace string
	// DedupeFor is how long the ID of an ended message is remembered, if its
	// caller chose it. Default 1 h.
	DedupeFor time.Duration
	// MaxLen bounds the messages that are stored; 0 = no bound.
	MaxLen int
	// DeadLimit and DeadFor bound the dead messages that are kept. Default
	// 100 000 and 30 days.
	DeadLimit int
	DeadFor   time.Duration
	// ExpiredToDead keeps expired messages among the dead instead of dropping
	// them.
	ExpiredToDead bool
	// Shards spreads the queue over that many hash slots, and so over the masters
	// of a Cluster, at most 64; one slot uses one core of Redis. What needs all
	// messages in one place is then not offered, see [queue.Spread]. All processes
	// must use the same number: with a smaller one nobody looks at the rest, and an
	// ID is looked for in the wrong place. Default 1.
	Shards int
	// Replicas is how many replicas must have a message before Enqueue returns
	// nil; fewer is ErrNotReplicated. Default 0.
	Replicas int
	// ReplicaTimeout is how long Enqueue waits for them. Default 1 s.
	ReplicaTimeout time.Duration
}

func (o Options) withDefaults() (Options, error) {
	var errs []error
	if err := rediskey.Namespace(o.Namespace); err != nil {
		errs = append(errs, err)
	}
	if o.DedupeFor < 0 || o.DeadFor < 0 || o.ReplicaTimeout < 0 {
		errs = append(errs, fmt.Errorf("%w: a duration is negative", queue.ErrInvalid))
	}
	if o.MaxLen < 0 || o.DeadLimit < 0 || o.Replicas < 0 {
		errs = append(errs, fmt.Errorf("%w: MaxLen is %d, DeadLimit is %d, Replicas is %d",
			queue.ErrInvalid, o.MaxLen, o.DeadLimit, o.Replicas))
	}
	if o.Shards < 0 || o.Shards > queue.MaxShards {
		errs = append(errs, fmt.Errorf("%w: Shards is %d, at most %d", queue.ErrInvalid, o.Shards, queue.MaxShards))
	}
	if o.DedupeFor == 0 {
		o.DedupeFor = time.Hour
	}
	if o.DeadFor == 0 {
		o.DeadFor = 30 * 24 * time.Hour
	}
	if o.DeadLimit == 0 {
		o.DeadLimit = 100_000
	}
	if o.OpTimeout == 0 {
		o.OpTimeout = 5 * time.Second
	}
	if o.ReplicaTimeout == 0 {
		o.ReplicaTimeout = time.Second
	}
	return o, errors.Join(errs...)
}

var (
	_ queue.Backend         = (*store)(nil)
	_ queue.Waiter          = (*store)(nil)
	_ queue.InspectBackend  = (*store)(nil)
	_ queue.ControlBackend  = (*store)(nil)
	_ queue.RecordBackend   = (*store)(nil)
	_ queue.ScheduleBackend = (*store)(nil)
)

// store is the Backend of one queue.
type store struct {
	rdb  redis.UniversalClient
	opts Options
	keys []string
	// loneKeys are those of lua/put.lua by level, plainKeys those of lua/putmany.lua.
	loneKeys  [4][4]string
	plainKeys []string
	scripts   scripts
	plain     atomic.Bool // the server does not know script flags
	policy    sync.Once   // looks at maxmemory-policy, with the first command

	waiters waiters
}

// New returns a Queue that borrows rdb: Close leaves it open. It does no I/O.
// Consumers wait on one connection of their own, made from a copy of rdb's
// options, which hooks of rdb do not see. Clients that read from replicas and
// *redis.Ring are refused.
func New(rdb redis.UniversalClient, name string, opts Options) (queue.Queue, error) {
	b, err := NewBackend(rdb, name, opts)
	if err != nil {
		return nil, err
	}
	return queue.New(name, b, opts.Options)
}

// NewBackend returns the backend alone, for a wrapper around it and [queue.New].
func NewBackend(rdb redis.UniversalClient, name string, opts Options) (queue.Backend, error) {
	stores, err := newStores(rdb, name, opts)
	if err != nil {
		return nil, err
	}
	if len(stores) == 1 {
		return stores[0], nil
	}
	shards := make([]queue.Backend, len(stores))
	for i, s := range stores {
		shards[i] = s
	}
	return queue.Spread(shards...)
}

// newStores returns the stores of all shards.
func newStores(rdb redis.UniversalClient, name string, opts Options) ([]*store, error) {
	if err := redisconn.Check(rdb); err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	encoded, err := rediskey.Encode(name)
	if err != nil {
		return nil, fmt.Errorf("queueredis: %w", err)
	}
	if !redisconn.HonoursDeadlines(rdb) && opts.Logger != nil {
		opts.Logger.Warn("queueredis: the client has ContextTimeoutEnabled off: a call can outlive its ctx by ReadTimeout")
	}
	stores := []*store{newStore(rdb, keysOf(opts.Namespace, encoded), opts)}
	for n := 1; n < opts.Shards; n++ {
		stores = append(stores, newStore(rdb, keysOf(opts.Namespace, shardName(encoded, n)), opts))
	}
	return stores, nil
}

// shardName stands for a further shard in its keys. No queue has it: an encoded
// name does not end with a percent sign.
func shardName(encoded string, n int) string { return fmt.Sprintf("%s.%d%%", encoded, n) }

func newStore(rdb redis.UniversalClient, keys []string, opts Options) *store {
	s := &store{rdb: rdb, opts: opts, keys: keys, scripts: newScripts()}
	s.plainKeys = append(append(s.plainKeys, keys[:5]...), keys[wakeKey], keys[countersKey])
	for level := range s.loneKeys {
		s.loneKeys[level] = [4]string{keys[0], keys[1+level], keys[wakeKey], keys[countersKey]}
	}
	return s
}

// keysOf returns the keys of a queue in the order of lua/common.lua.
func keysOf(namespace, encoded string) []string {
	parts := []string{
		"m", "r0", "r1", "r2", "r3", "z", "l", "d", "x", "f", "e", "v", "c", "k", "u", "g", "o", "w", "s", "t",
	}
	keys := make([]string, len(parts))
	for i, part := range parts {
		keys[i] = rediskey.Join(namespace, "queue", encoded, part)
	}
	return keys
}

// Places in keys.
const (
	messagesKey  = 0
	soloKey      = 5 // the lists end here
	errorsKey    = 10
	recordsKey   = 11
	consumersKey = 12
	uniquesKey   = 14
	waitersKey   = 15
	holdersKey   = 16
	wakeKey      = 17
	countersKey  = 18
)

// Capabilities implements queue.Backend.
func (*store) Capabilities() queue.Capabilities {
	return queue.Capabilities{Can: queue.CanAll, Levels: 4, Grain: time.Millisecond}
}

// Close implements queue.Backend. It ends the connections that Wait uses.
func (s *store) Close(context.Context) error { return s.waiters.close() }

// run sends a script until it has an answer that counts.
func (s *store) run(ctx context.Context, sc *pair, args ...any) (any, error) {
	return s.runOn(ctx, sc, s.keys, args...)
}

func (s *store) runOn(ctx context.Context, sc *pair, keys []string, args ...any) (any, error) {
	s.policy.Do(func() { s.warnOfEviction(ctx) })
	var reply any
	err := redisconn.Retry(ctx, s.rdb, s.opts.OpTimeout, func(ctx context.Context) error {
		v, err := sc.run(ctx, s.rdb, &s.plain, keys, args...)
		reply = v
		return err
	})
	return reply, s.explain(err)
}

// explain turns an error of Redis into one of package queue.
func (s *store) explain(err error) error {
	switch {
	case err == nil:
		return nil
	case redis.IsOOMError(err):
		return fmt.Errorf("%w: %w", queue.ErrQueueFull, err)
	case errors.Is(err, redis.ErrClosed):
		return fmt.Errorf("%w: %w", queue.ErrClosed, err)
	case rediserr.Uncertain(err):
		return fmt.Errorf("%w: %w", queue.ErrUncertain, err)
	}
	return err
}

// newNonce tells one request from all others, through all its repetitions.
func newNonce() string {
	var b [nonceSize]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return string(b[:])
}

func (s *store) warnOfEviction(ctx context.Context) {
	if s.opts.Logger == nil {
		return
	}
	got, err := s.rdb.ConfigGet(ctx, "maxmemory-policy").Result()
	if err != nil {
		return // not allowed, or no server: nothing to warn about
	}
	if policy := got["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		s.opts.Logger.Warn("queueredis: Redis may evict messages: set maxmemory-policy to noeviction", "policy", policy)
	}
}
