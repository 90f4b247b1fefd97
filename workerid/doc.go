// Package workerid leases worker numbers to the nodes of a cluster: small
// integers that no two live nodes hold at once, and with each the span of time
// that its holder may stamp into IDs. Package snowflake makes IDs of them.
//
// An [Allocator] is either in-process ([NewMemory]) or shared by every node that
// talks to one Redis (package workeridredis). A granted [Lease] is renewed in the
// background. Its [Window] is what keeps IDs unique: the holder stamps only times
// from Start up to Mark, the server remembers Mark, and the next holder of the
// number starts there. Neither clocks nor pauses enter into that.
//
// # What is promised
//
//   - As long as the server keeps the writes that it acknowledged, no two holders
//     of a number ever have the same instant in their windows, whatever their
//     clocks show, however long a process was stopped, and whichever replies were
//     delayed or lost.
//   - If the server lost data (a failover, a restart from an old snapshot, a
//     flush) the same holds while clocks of nodes and servers agree within Skew
//     and losses are at least two gaps apart, counted from the first round trip
//     after the loss, or from a Fresh start. The gap is Horizon or MaxAhead +
//     4 MaxTick, whichever is longer, + 2 Skew + 3 MaxTick: 30s with the defaults.
//     Holders carry on; numbers taken within the gap start up to a gap in the future.
//   - A number is given to another holder only when its lease has ended by the
//     server's clock or it was released.
//   - A request that arrives late, or again, gives nobody a span that another was
//     given: not when its sender has released, nor when the number has passed on, nor
//     when the server has lost data since.
//   - A reply that got lost costs no number, and two copies of one process do not
//     both keep renewing.
//   - Losing the server for less than Horizon − 1.2 Renew − MaxTick costs nothing:
//     12s with the defaults. After that generators wait; the lease is lost only
//     when the server says so.
//
// # What is not promised
//
//   - Two processes may stamp with one number at the same moment: one that was
//     stopped past its lease still has the rest of its window, which the next
//     holder keeps clear of. Use the number for IDs, not as a lock (package lock
//     has fences for that).
//   - Nothing holds while two servers acknowledge at once, as when a master that was
//     replaced is cut off together with some nodes and goes on answering them. Have
//     it need a replica for that: Replicas of package workeridredis, or
//     min-replicas-to-write of the server.
//   - A copied process, such as a restored snapshot of a virtual machine, can
//     stamp like its original until its next renewal.
//   - [NewMemory], [Static] and [Random] know nothing of earlier processes.
//
// # Compared
//
// The test TestSimulation runs six nodes for four numbers on a simulated network
// and server, with the scripts of package workeridredis, and counts duplicates
// among all IDs. The plain lease expires after a time to live, and its holder
// stops in time by its own monotonic clock. 300 worlds of 20 seconds each:
//
//	what goes wrong                             random number   plain lease   this package
//	nothing                                             32 %           0             0
//	clocks anywhere, and stepping                       12 %           0             0
//	stops, suspends, cuts, late replies, deaths         29 %         2.4 %           0
//	all of these                                        12 %         2.1 %           0
//	stops and so on, and the server loses data          29 %         2.7 %           0
package workerid
