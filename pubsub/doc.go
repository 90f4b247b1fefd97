// Package pubsub carries signals to every node of a cluster: "the configuration
// changed", "drop this key", "reload". Each node sees each signal, in one order,
// or is told that it missed some.
//
// A [PubSub] is either in-process ([NewMemory]) or shared by every node that
// talks to one Redis (package pubsubredis). Signals are stored in a log and
// pushed to the nodes; a node that was cut off reads from the log what it
// missed, in order, and where the log no longer has it, the handler's place in
// the order is taken by a [Gap]: the notice to load again what the signals would
// have changed.
//
// Most programs want [Replicate], which keeps a value in memory in step with
// the signals and knows what a Gap means. [Topic] sends and receives typed
// messages; [PubSub.Subscribe] is the plain form.
//
// # What is promised
//
//   - A message whose Publish began after Subscribe returned is handled, or
//     covered by a Gap.
//   - All nodes see the messages of one channel in the same order, and all
//     channels of one bus in one order, between two Gaps of the reasons Reset
//     and Failover.
//   - No subscription handles a message twice, unless its own Retry asks for it.
//   - A slow or panicking handler delays its own subscription only.
//
// # What is not promised
//
// A Gap may be reported where nothing of interest was missed. Messages that a
// node published before it crashed may be stored although Publish did not
// return. A handler that is running when the node crashes does not see its
// message again: signals are for state in memory, which is gone as well; work
// that must be done belongs in a queue.
package pubsub
