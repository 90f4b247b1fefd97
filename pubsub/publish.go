package pubsub

import (
	"context"
	"errors"
	"fmt"
)

// Publish implements PubSub.
func (n *Node) Publish(ctx context.Context, messages ...Message) ([]Receipt, error) {
	leave, err := n.life.Enter()
	if err != nil {
		return refuse(messages, opError("publish", first(messages), err))
	}
	defer leave()
	for i := range messages {
		if err := messages[i].check(n.opts.MaxPayload); err != nil {
			return refuse(messages, opError("publish", messages[i].Channel, err))
		}
	}
	if err := ctx.Err(); err != nil {
		return refuse(messages, opError("publish", first(messages), context.Cause(ctx)))
	}
	items := make([]item, len(messages))
	for i := range messages {
		m := &messages[i]
		items[i] = item{entry: encode(m, n.name, 0), replicas: m.Replicas, index: i}
	}
	receipts := n.deliver(ctx, items, func(i int) int { return n.BusOf(messages[i].Channel) })
	for i, r := range receipts {
		if r.Err != nil {
			return receipts, opError("publish", messages[i].Channel, r.Err)
		}
	}
	return receipts, nil
}

func first(messages []Message) string {
	if len(messages) == 0 {
		return ""
	}
	return messages[0].Channel
}

// refuse is the result of a Publish that sent nothing.
func refuse(messages []Message, err error) ([]Receipt, error) {
	receipts := make([]Receipt, len(messages))
	for i := range receipts {
		receipts[i].Err = err
	}
	return receipts, err
}

// deliver sends items, each on its bus, and waits for them or for ctx.
func (n *Node) deliver(ctx context.Context, items []item, bus func(i int) int) []Receipt {
	c := &call{receipts: make([]Receipt, len(items)), left: len(items), done: make(chan struct{})}
	if len(items) == 0 {
		return c.receipts
	}
	for i := range items {
		items[i].call = c
		if err := n.writers[bus(i)].add(ctx, &items[i]); err != nil {
			c.settle(&items[i], Receipt{Err: err})
		}
	}
	select {
	case <-c.done:
		return c.receipts
	case <-ctx.Done():
		return n.giveUp(c, context.Cause(ctx))
	case <-n.abort.Done():
		return n.giveUp(c, ErrClosed)
	}
}

// giveUp takes back what was not sent; the outcome of the rest is unknown.
func (n *Node) giveUp(c *call, cause error) []Receipt {
	for _, w := range n.writers {
		w.withdraw(c, cause)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left > 0 {
		c.left = 0
		for i, r := range c.receipts {
			if r.Err == nil && r.Position.IsZero() {
				c.receipts[i].Err = fmt.Errorf("%w: %w", ErrUncertain, cause)
			}
		}
	}
	return c.receipts
}

// Entries returns the entries of messages for each bus, for a backend that
// stores them itself, such as within a transaction. They count as sent by this
// node.
func (n *Node) Entries(messages ...Message) ([][][]byte, error) {
	w := origin{publisher: newPublisher()}
	entries := make([][][]byte, len(n.buses))
	for i := range messages {
		m := &messages[i]
		if err := m.check(n.opts.MaxPayload); err != nil {
			return nil, opError("publish", m.Channel, err)
		}
		if m.Replicas > 0 {
			return nil, opError("publish", m.Channel,
				errors.Join(ErrInvalidMessage, errors.New("replicas cannot be waited for in a transaction")))
		}
		entry := encode(m, n.name, 0)
		w.sequence++
		setOrigin(entry, w)
		bus := n.BusOf(m.Channel)
		entries[bus] = append(entries[bus], entry)
	}
	return entries, nil
}
