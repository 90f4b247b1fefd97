package pubsub

import (
	"fmt"
	"time"
)

// Message is what Publish sends.
type Message struct {
	// Channel is one or more words with dots between: "orders.created".
	Channel string
	// Payload is any bytes, also none. It must not be changed until Publish
	// returned.
	Payload []byte
	// Headers go along with the message, such as a W3C traceparent.
	Headers map[string]string
	// Key is what Coalesce compares. Default: channel and payload.
	Key string
	// SkipSelf keeps the message from the node that published it, OnlySelf from
	// all others.
	SkipSelf, OnlySelf bool
	// Replicas is the number of replicas that must confirm the message before it
	// counts as stored; 0 for the primary alone. The memory backend has none and
	// ignores it.
	Replicas int
}

// check reports why a message cannot be sent, or nil.
func (m *Message) check(maxPayload int) error {
	if err := checkChannel(m.Channel); err != nil {
		return err
	}
	size := len(m.Payload) + len(m.Key)
	for k, v := range m.Headers {
		size += len(k) + len(v)
	}
	switch {
	case size > maxPayload:
		return fmt.Errorf("%w: payload, key and headers have %d bytes, want at most %d", ErrTooLarge, size, maxPayload)
	case m.SkipSelf && m.OnlySelf:
		return fmt.Errorf("%w: both SkipSelf and OnlySelf", ErrInvalidMessage)
	case m.Replicas < 0:
		return fmt.Errorf("%w: %d replicas", ErrInvalidMessage, m.Replicas)
	}
	return nil
}

// Receipt says what became of one message.
type Receipt struct {
	// Position is the message's place. It is empty unless the message is known to
	// be stored. A node whose Position covers it has received the message.
	Position Position
	// Err is nil, or why the message is not, or may not be, stored.
	Err error
}

// Delivery is a message as a handler sees it.
type Delivery struct {
	Channel string
	Payload []byte
	Headers map[string]string // nil if there are none
	Key     string
	// Node is the name of the node that published the message, Self whether it is
	// this one.
	Node string
	Self bool

	mark     Mark
	bus      int
	origin   origin
	skipSelf bool
	onlySelf bool
}

// Position is the message's place, as in the Receipt of its Publish.
func (d *Delivery) Position() Position { return positionOf(d.bus, d.mark) }

// Published is when the message was stored, by the clock of the server.
func (d *Delivery) Published() time.Time { return time.UnixMilli(int64(d.mark.ID.Ms)) }

// coalesceKey is what Coalesce compares by default.
func (d *Delivery) coalesceKey() string {
	if d.Key != "" {
		return "k" + d.Key
	}
	return "c" + d.Channel + "\x00" + string(d.Payload)
}
