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
// With an ACL a Store needs, on the keys and channels "namespace:cache:*": EVAL,
// EVALSHA, TIME, GET, MGET, SET, DEL, UNLINK, GETRANGE, PTTL, PERSIST, PEXPIREAT,
// HGET, HMGET, HSET, HDEL, HINCRBY, ZADD, ZREM, ZRANGEBYSCORE, ZREVRANGE, XADD,
// XRANGE, XREVRANGE, PUBLISH and SUBSCRIBE (on a Cluster SPUBLISH and SSUBSCRIBE);
// SCAN for Keys and Clear; and INFO, without which a failover is noticed only if
// ordinals went back. A [Bloom], [Counter] or [Limiter] needs, on the keys
// "namespace:bloom:*", "namespace:counter:*" or "namespace:limiter:*": EVAL,
// EVALSHA, GET, SET, DEL, UNLINK, GETRANGE, SETRANGE, STRLEN, GETBIT, SETBIT,
// EXISTS, INCRBY, PEXPIRE, PTTL, TIME, MULTI and EXEC.
//
// The client is borrowed. It should have ContextTimeoutEnabled: without it a call
// can outlive its ctx by the client's ReadTimeout.
package cacheredis
