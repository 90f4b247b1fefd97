// Package cache keeps values near the code that needs them: decoded in the
// process, and as bytes in a [Store] that all nodes share.
//
// A [Cache] is one namespace of a Store with an in-process tier over it; [Of]
// makes it typed. The Store is either the process itself ([NewMemory]) or Redis
// (package cacheredis).
//
// # Promise
//
// After Set, Delete, InvalidateTags or Clear returned on one node, no Get that
// begins on any node [L1.MaxStaleness] later returns the older value; on the
// node that wrote, none at once. This holds through crashes, lost connections,
// half-open links and failover, for as long as the Store keeps the writes that
// it acknowledged: a node that cannot prove that it has seen every change reads
// the Store instead of its own copy. One loader runs per key among all nodes,
// and a value whose load overlapped an invalidation is never kept.
//
// Not promised: anything about callers that chose stale values (a [Policy] with
// StaleFor or FailSafe serves entries that expired, never ones that were
// deleted; [ServeStale] serves what the node has while the Store is away), about
// programs that write to the Store without this package, and about a node that
// was suspended together with its clock.
//
// # Values
//
// Values in the in-process tier are shared by all callers and must not be
// changed; wrap the codec with [Cloned] where callers want their own. Zero
// values are hits like any other; an absent value is only ever cached as
// [Policy.NegativeTTL] says, and an error never is.
//
// Beside the cache stand three structures that need one truth for all nodes:
// [Bloom], [Counter] and [Limiter].
package cache
