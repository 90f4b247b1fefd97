package pubsub

import "fmt"

// GapReason says why messages were missed.
type GapReason int

const (
	// GapTrimmed says that the log no longer had the messages, by its retention or because
	// they were removed.
	GapTrimmed GapReason = iota + 1
	// GapReset says that the log itself was lost and began anew.
	GapReset
	// GapFailover says that another server took over, or the same came back, and may not
	// have all messages that were acknowledged before. Which, nobody can know: messages
	// handled before may exist no longer, and others may be lost that no node has seen.
	GapFailover
	// GapOverflow says that the handler was too slow and its queue full.
	GapOverflow
	// GapAbsent says that the node was silent for so long that the others went on without
	// it: a Barrier may have passed that it knows nothing of.
	GapAbsent
)

func (r GapReason) String() string {
	switch r {
	case GapTrimmed:
		return "trimmed"
	case GapReset:
		return "reset"
	case GapFailover:
		return "failover"
	case GapOverflow:
		return "overflow"
	case GapAbsent:
		return "absent"
	}
	return fmt.Sprintf("GapReason(%d)", int(r))
}

// Gap tells a subscription that it missed messages at this place of the order.
type Gap struct {
	Reason GapReason
	// Missed is the number of messages that are missing, -1 if it cannot be known.
	// With GapOverflow it counts messages that the subscription matches, with
	// GapTrimmed all of the bus.
	Missed int64
	// After is the last place before the Gap, Resume the first after it.
	After, Resume Position
}

// merge returns one Gap for g and the later h with nothing between.
func (g Gap) merge(h Gap) Gap {
	if g.Missed < 0 || h.Missed < 0 {
		g.Missed = -1
	} else {
		g.Missed += h.Missed
	}
	if h.Reason == GapReset || h.Reason == GapFailover || g.Reason == GapAbsent {
		g.Reason = h.Reason
	}
	g.Resume = g.Resume.Join(h.Resume)
	return g
}
