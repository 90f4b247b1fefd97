package queue

import (
	"math/bits"
	"strings"
	"time"
)

// Capability is a set of abilities that not every backend has.
type Capability uint32

// The abilities beyond enqueue, claim, settle and retry, which all backends have.
const (
	// CanDelay: Message.Delay and At, and retries that wait in the store.
	CanDelay Capability = 1 << iota
	// CanPrioritize: strict order of at least two levels.
	CanPrioritize
	// CanOrderKeys: Message.Key.
	CanOrderKeys
	// CanDeduplicate: Message.ID is remembered.
	CanDeduplicate
	// CanUnique: Message.Unique.
	CanUnique
	// CanExpire: Message.TTL and Deadline.
	CanExpire
	// CanLease: a lease ends by time and can be extended. Without it a message
	// is held as long as the connection that took it.
	CanLease
	// CanIsolate: a message that loses its workers dies, and no other does.
	CanIsolate
	// CanKeepDead: dead messages are kept, and can be listed, got, cancelled, purged
	// and redriven.
	CanKeepDead
	// CanInspect: all of Stats, List, Get and Consumers, for messages in every state.
	CanInspect
	// CanCancel: a message is removed by its ID.
	CanCancel
	// CanPurge: messages that are ready are removed, and with CanInspect those of every
	// state.
	CanPurge
	// CanPause: the whole cluster stops claiming.
	CanPause
	// CanRecord: SetProgress, SetResult and Message.Retain.
	CanRecord
	// CanLimitInFlight: ConsumeOptions.MaxInFlight.
	CanLimitInFlight
	// CanLimitRate: ConsumeOptions.ClusterRate.
	CanLimitRate
	// CanSchedule: a Scheduler can use the queue.
	CanSchedule
	// CanReturn: a message that is given back goes to the head of the queue.
	CanReturn
	// CanCount: Stats has Now, Ready and Dead. The rest of it needs CanInspect, and is
	// zero without.
	CanCount

	// CanAll is every ability.
	CanAll = CanCount<<1 - 1
)

// names stand in the order of the constants.
func names() [19]string {
	return [...]string{
		"delay", "priorities", "order by key", "deduplication", "unique keys", "expiry", "timed leases",
		"isolation of suspects", "dead letters", "inspection", "cancel", "purge", "pause", "progress and results",
		"in-flight limit", "cluster rate limit", "schedules", "return to the head", "counts of ready and dead",
	}
}

// Has reports whether c has every ability of want.
func (c Capability) Has(want Capability) bool { return c&want == want }

// String lists the abilities of c.
func (c Capability) String() string {
	var list []string
	for i, name := range names() {
		if c&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	return strings.Join(list, ", ")
}

// Each returns the abilities of c one by one.
func (c Capability) Each() []Capability {
	list := make([]Capability, 0, bits.OnesCount32(uint32(c)))
	for rest := c; rest != 0; rest &= rest - 1 {
		list = append(list, rest&-rest)
	}
	return list
}

// Capabilities describes a backend.
type Capabilities struct {
	// Can is what the backend can do.
	Can Capability
	// Levels is the number of priorities that it keeps apart, 1 to 4. Where it
	// is 2, high and urgent are one level, normal and low the other.
	Levels int
	// Grain is how coarse delays are; a message is never early.
	Grain time.Duration
	// Pipelined tells that calls of Enqueue are sent one behind the other, without
	// waiting for the replies to those before. Each producer then has a call of its
	// own, and otherwise they share calls, one at a time.
	Pipelined bool
}
