// Package lockredis keeps the locks of package lock in Redis or Valkey:
// standalone, with Sentinel, or Cluster.
//
// A release hands the lock to the next waiting process in the same script and
// tells it by one published message; nobody polls for it. What was granted is
// state in the server, the message is only a hint: a waiter that misses it finds
// out at its next poll, at the end of the holder's grant or after five seconds.
//
// # A subscription that dies without a sign
//
// A connection may be half open, or pass nothing on, and nobody is told. So while
// somebody waits, a process that has heard nothing for a while asks over its
// subscribed connection for a sign of life (PING), and without one for 0.4 s (more
// where connecting takes longer) it subscribes anew, drops the old connection, and
// all who wait ask once. "A while" is nothing at the begin of a wait, 0.4 s after
// news, and later a quarter of the time since the last news: a waiter loses a
// second at most, after two seconds of waiting up to a quarter of its wait, and
// never more than the five seconds of the poll. A silent wait costs 10 PINGs in its
// first five seconds, 21 in a minute, 39 in an hour, for all names of a process
// together; they touch no key. A holder with waiters of its own, who must hear that
// others wait, has a sign of life every five seconds at least.
//
// # Keys
//
// All keys of a name share one hash slot:
//
//	<namespace>:lock:{name}:held    the holder's token, with an expiry
//	<namespace>:lock:{name}:queue   the waiting processes
//	<namespace>:lock:{name}:fence   the last fence; expires a day after its last use
//	<namespace>:lock:{name}:s…      the same for a semaphore
//
// The first is what github.com/bsm/redislock reads and writes, so that programs
// with that library and those with this one exclude each other on [Key]. Such
// programs must use random tokens, which is redislock's default: a token that is
// the beginning of another's steals its lock, which the victim notices at its
// next renewal. Waiters are not told of releases by such programs; they ask every
// 100 ms while one of them is the holder.
//
// Every process subscribes to one channel, <namespace>:lock-events:<process>, at
// its first contention.
//
// # Cluster, and servers that refuse PUBLISH
//
// There the server cannot tell whether a process has heard of its grant, so a
// grant ends after 500 ms unless the process confirms it, which costs a command;
// a waiter that died delays the others by that time and by up to a second until
// one of them asks again. Elsewhere it is skipped at once.
//
// # Rights
//
// A user with restricted rights needs
//
//	~<namespace>:lock:* &<namespace>:lock-events:*
//	+evalsha +eval +get +set +del +exists +pexpire +expire +pttl +time
//	+lpop +rpush +lrem +lpos +llen +publish +subscribe +unsubscribe +ping
//	+zadd +zrem +zcard +zscore +zrange +zremrangebyscore
//	+wait   with Options.Replicas
//	+scan   for [lock.Lister]
//
// Without publish and subscribe the locks work, but waiters poll.
package lockredis
