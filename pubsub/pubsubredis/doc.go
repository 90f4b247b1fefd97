// Package pubsubredis carries the signals of package pubsub over Redis or
// Valkey: standalone, behind Sentinel, or as a Cluster.
//
// Each bus is a Redis stream and a push channel. A batch of messages is stored
// and pushed by one script, once, for any number of nodes. A node has one
// subscribed connection per bus for any number of channels, and asks every 1.5 s,
// or 8 s under load, whether the push has brought all; what it has not is read
// from the stream. So a loss is noticed within 2 s (10 s under load) while Redis
// answers, else after the reconnect.
//
// # Limits
//
//   - A message is stored once the primary has it. A failover or a restart can lose
//     it, also one that no node has seen, so each node has a Gap with GapFailover
//     whenever the server is another or has restarted, even if nothing was lost. A
//     position from before is told the same. Message.Replicas narrows the loss.
//   - What a deposed primary that knows of no successor still acknowledges, after a
//     node has gone over to the successor, is lost without a word to that node.
//     min-replicas-to-write bounds how long it does so.
//   - How far back a node can catch up is Options.MaxLen messages and MaxAge.
//   - Commands on the borrowed client end with their ctx only if the client has
//     ContextTimeoutEnabled; without it a call can outlive its ctx by ReadTimeout.
//   - Hooks of the borrowed client see what is published, not what a bus' own
//     client reads.
//   - Node clocks do not matter; times are the server's.
//
// # Rights
//
// A user with restricted rights needs
//
//	~<namespace>:pubsub:* &<namespace>:pubsub:*
//	+eval +evalsha +time +ping +hset +hmget +hincrby +del
//	+xadd +xrange +xrevrange +xtrim
//	+zadd +zscore +zrange +zrem +zremrangebyscore
//	+publish +subscribe    on a Cluster also spublish and ssubscribe
//	+xread                 with Options.Tail, in place of subscribe
//	+wait                  for Message.Replicas
//	+xlen +zrangebyscore   for Inspect
//	+info                  without it a failover is noticed only if it lost what this node has seen
package pubsubredis
