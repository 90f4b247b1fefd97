package pubsub

import (
	"context"
	"sync/atomic"
	"time"
)

// Stats are counts since the start of one node.
type Stats struct {
	Subscriptions int64 // open now
	Queued        int64 // messages that wait for handlers now

	Published int64 // messages stored
	Received  int64 // messages that came in, once for each node
	Handled   int64 // handler calls that ended well
	Failed    int64 // messages and Gaps whose handler failed for good
	Panics    int64 // handler calls that panicked
	Coalesced int64 // messages that gave way to a later one
	Gaps      int64 // Gaps told to subscriptions
	Missed    int64 // messages that those Gaps stand for, as far as known

	Repeats   int64 // entries that had come before
	Malformed int64 // entries that could not be decoded
	Foreign   int64 // entries in the log that nobody of this package wrote
	Repairs   int64 // reads of the log for what a push had not brought
	Abandoned int64 // handlers that did not return when Close had to
}

// counters are Stats while they grow.
type counters struct {
	published, received, handled, failed, panics           atomic.Int64
	coalesced, gaps, missed, repeats, malformed, abandoned atomic.Int64
	foreignInPages                                         atomic.Int64
}

// Hooks observe a PubSub. Every field may be nil. Functions must not block.
type Hooks struct {
	// Published follows each batch that was sent: how many messages, for how
	// long, and with what outcome.
	Published func(messages int, took time.Duration, err error)
	// Handled follows each handler call for a message.
	Handled func(ctx context.Context, m *Delivery, took time.Duration, err error)
	// Gap precedes the call of OnGap.
	Gap func(pattern string, g Gap)
	// Stale says that this node is cut off, for now.
	Stale func(cause error)
}

func (h *Hooks) published(messages int, began time.Time, err error) {
	if h != nil && h.Published != nil {
		h.Published(messages, time.Since(began), err)
	}
}

func (h *Hooks) gap(pattern string, g Gap) {
	if h != nil && h.Gap != nil {
		h.Gap(pattern, g)
	}
}

func (h *Hooks) stale(cause error) {
	if h != nil && h.Stale != nil {
		h.Stale(cause)
	}
}
