// Package workeridredis leases worker numbers through Redis 7 or later, or Valkey:
// one server, a master found by Sentinel, or a Cluster. What is promised stands in
// package workerid.
//
// # Keys
//
// Both keys of a pool share a hash slot. There is nothing to expire or to clean
// up: a range of 32 numbers takes about 8 kB.
//
//	cohort:workerid:{default}:numbers   hash: "epoch", a field per number that was
//	                                    ever used, "=token" per holder
//	cohort:workerid:{default}:expiry    sorted set: number → expiry; an index, made
//	                                    again from the hash if either was evicted
//
// "cohort" is [Options].Namespace and "default" is Pool. All nodes of a pool must
// have the same configuration. To change it, stop all nodes, wait for a TTL, and
// delete both keys, or use another pool with numbers that the old one does not
// have.
//
// # Losses of data
//
// The scripts recognize a server that may have lost writes by its run_id and
// master_replid, which they read with INFO: a restart, a failover and a switchover
// begin a new epoch, as a flush does. If the user of the client may not call INFO,
// nobody can know: then each new holder of a number starts a gap in the future, a
// lease that ran out is over, and the promise for losses of data holds only if
// nobody has acquired a number within two gaps before.
//
// Every acknowledged write counts, so give the server an append-only file. With
// [Options].Replicas a number and each renewal count only once so many replicas
// have them, and a failover to one of those loses nothing; min-replicas-to-write
// narrows the loss for all that use the server. A policy of maxmemory that evicts
// keys loses data.
//
// # Rights
//
// A user with restricted rights needs
//
//	~<namespace>:workerid:*
//	+evalsha +eval             each operation is one script
//	+wait                      only with Options.Replicas
//	+time +info                inside the scripts
//	+hget +hmget +hset +hdel +del
//	+zadd +zcard +zrange +zrangebyscore
package workeridredis
