// Package cacheredis is the [cache.Store] in Redis or Valkey: standalone, behind
// Sentinel, or a Cluster.
//
// Every write, its invalidation message and the end of running loads are one
// script. One connection per bucket follows the messages; the node's caches use
// their own copies only while the server confirms, several times per
// MaxStaleness, that nothing is missing. Whatever breaks that chain (a cut or
// half-open link, a trimmed log, a restart, a failover, FLUSHALL) makes nodes
// read Redis again, not guess.
//
// Keys are "namespace:cache:{bucket}:…". On a Cluster the buckets spread over the
// masters; all processes must have the same number of them.
//
// The promise of package cache holds as long as the primary keeps the writes that
// it acknowledged. After a failover or a restart the entries from before no
// longer count, because some newer write may be lost; Options.KeepOnFailover
// gives that up. Not covered are the moments until a node notices, a node that
// still reaches only a deposed primary, and programs that write the keys
// themselves.
//
// # Rights
//
// A user with restricted rights needs for a Store
//
//	~<namespace>:cache:* &<namespace>:cache:*
//	+eval +evalsha +time +get +mget +set +del +unlink +getrange
//	+pttl +persist +pexpireat +hget +hmget +hset +hdel +hincrby
//	+zadd +zrem +zrangebyscore +zrevrange +xadd +xrange +xrevrange
//	+publish +subscribe   on a Cluster also spublish and ssubscribe
//	+scan                 for Keys and Clear
//	+info                 without it a failover is noticed only if ordinals went back
//
// and for a [Bloom], [Counter] or [Limiter]
//
//	~<namespace>:bloom:* ~<namespace>:counter:* ~<namespace>:limiter:*
//	+eval +evalsha +get +set +del +unlink +getrange +setrange +strlen
//	+getbit +setbit +exists +incrby +pexpire +pttl +time +multi +exec
//
// The client is borrowed. It should have ContextTimeoutEnabled: without it a call
// can outlive its ctx by the client's ReadTimeout.
package cacheredis
