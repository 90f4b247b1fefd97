// Package snowflake makes unique 64-bit IDs that ascend with time, without asking
// anybody: an ID is the tick of its making, the number of the worker that made it,
// and a sequence within the tick ([Layout]).
//
// A [Generator] makes them as one worker, whose number comes from package workerid:
// leased through Redis, in-process, or given by the deployment ([workerid.Static]).
// Making one is a single atomic addition; no clock is read and no lock is taken.
//
// # What is promised
//
//   - No ID is made twice, by no two generators of a cluster, whatever clocks,
//     pauses and networks do, for as long as package workerid keeps its own
//     promise: that no two holders of a number have the same instant in their
//     windows. A Generator stamps only ticks that lie wholly inside the window,
//     and looks at no clock to know it.
//   - The IDs that one Generator gives to one caller ascend, also over a Rebind.
//     A step of the wall clock, either way, does not disturb that.
//   - The time in an ID is at most a tick and 5 ms before the clock of its process,
//     and at most MaxAhead after it. A number that was taken over from a holder
//     whose clock was ahead begins where that one stopped, makes IDs at once, and
//     lets the clock catch up by going at half speed.
//   - Next waits, and its ctx ends the wait, when a tick is used up or the lease is
//     not renewed. Waiting takes no CPU time. Neither does an idle Generator:
//     nothing of it runs two seconds after the last call.
//
// # What is not promised
//
//   - IDs of two workers are in the order of their making only as far as the two
//     clocks agree, and a tick is the finest step.
//   - IDs are no secrets: whoever sees one can guess its neighbours.
//   - [workerid.Static] knows no mark of an earlier process. Its generators wait
//     until the ticks that such a process could have stamped are over, one to two
//     ticks of a second with the defaults, and rely on the wall clock not to be
//     set back between two processes.
//   - The sequence of a tick may have gaps, after a wait or at the end of a tick.
package snowflake
