// Package lock grants exclusive, expiring ownership of a name to one holder of a
// cluster, in the order in which it was asked for, and tells the holder of a
// loss before anybody else can be granted the name.
//
// A [Locker] is either in-process ([NewMemory]) or shared by every node that
// talks to one Redis (package lockredis). A granted [Lease] has
//
//   - a [Lease.Context] that ends when the lease does; its cause is [ErrReleased]
//     or [ErrLost]. It ends by the local clock, a margin before the grant runs
//     out on the server, whatever the network does;
//   - a [Lease.Fence], larger than that of every earlier grant of the name. Give
//     it to the resource that the lock protects (see [FenceGate]), so that a
//     holder that slept through its loss cannot write;
//   - renewal in the background for as long as it is held.
//
// [Do] guards a section with all of this in one call.
//
// # Order
//
// Waiters are woken by the release, they do not poll. Inside a process they are
// served first in, first out. Between processes the turn passes round: each
// process has one place in the queue of a name, and serves at most
// [Options].LocalBatch of its own waiters before the next process has its turn.
//
// # Not promised
//
// A lock on a server that replicates asynchronously can be granted twice when a
// failover loses the grant; [Request].Replicas narrows that window and the fence
// closes it. Fences rise over restarts and lost data for as long as the server's
// clock does not go back further than the time since the last lost grant. The
// monotonic clock of the process must run while the process could write; a
// suspended machine that resumes may take a moment to notice the loss, which is
// the fence's work again.
//
// # Not built
//
// Reentrancy: a context travels between goroutines, so it cannot say who holds a
// lock, and code that does not know whether it holds one has no invariant to
// rely on. Quorums over several servers (Redlock): they depend on the same clocks
// as a single server does, give no fence, and cost every acquisition several
// round trips.
package lock
