package pubsub

import "context"

// PubSub publishes messages and subscribes to them. All methods are safe for
// concurrent use.
type PubSub interface {
	// Publish stores messages, each bus' messages in the order given. A nil error
	// means that all are stored on the primary; otherwise the Receipts say what
	// became of each. It blocks until then, or until ctx ends: what was not sent
	// by that time is withdrawn, what was is ErrUncertain.
	Publish(ctx context.Context, messages ...Message) ([]Receipt, error)

	// Subscribe calls h for each message whose channel matches the pattern: a
	// channel ("orders.created"), with "*" for one word ("cache.*"), with ">" for
	// one or more words at the end ("orders.>"). Messages whose Publish begins
	// after Subscribe returned are handled, one at a time and in order. ctx bounds
	// only the call.
	Subscribe(ctx context.Context, pattern string, h Handler, o SubscribeOptions) (Subscription, error)

	// Position is the place up to which this node has received messages. It is
	// empty before the first Subscribe.
	Position() Position

	// Stats are counts since the start.
	Stats() Stats

	// Ready reports why messages would not come in or go out now, as an error
	// that wraps ErrNotReady, or nil.
	Ready(ctx context.Context) error

	// Close ends all subscriptions and waits for their handlers, no longer than
	// ctx allows. Messages that wait to be sent are refused with ErrClosed; those
	// that were sent are waited for. Later calls of any method report ErrClosed;
	// a second Close returns nil.
	Close(ctx context.Context) error
}

// Handler handles one message. ctx ends when the subscription does. The message
// is shared with the node's other subscriptions and must not be changed.
type Handler func(ctx context.Context, m *Delivery) error

// Subscription is a handler at work.
type Subscription interface {
	// WaitFor returns nil once every message up to p that the subscription
	// matches has been handled, coalesced ones included, or been passed as a Gap.
	WaitFor(ctx context.Context, p Position) error
	// Close ends the subscription after the message that is being handled and
	// those that wait for their Coalesce window; queued messages are dropped. If
	// ctx ends first, the handler's ctx is cancelled. A second call returns nil.
	Close(ctx context.Context) error
}

// Barrierer is a PubSub that can wait for all nodes.
type Barrierer interface {
	// Barrier returns nil once each node that had subscribed when Barrier was
	// called has handled all that was published before. If ctx ends first the
	// error is ErrBarrierTimeout and the result names the nodes that are missing.
	// It must not be called with the ctx of a Handler: its own subscription could
	// never pass.
	Barrier(ctx context.Context) (BarrierResult, error)
}

// BarrierResult says which nodes passed a Barrier. Both lists are sorted.
type BarrierResult struct {
	Passed  []string
	Missing []string
}
