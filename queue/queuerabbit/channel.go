package queuerabbit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

// A channel is one generation of a queue's consumers. Its deliveries are settled on
// it or not at all.
type channel struct {
	intake  *intake
	session *session
	ch      *amqp.Channel
	ended   chan struct{}

	changing sync.Mutex // one consumer begins or ends at a time

	mu     sync.Mutex
	tags   tags
	tag    string // of the consumer of the queue, "" while there is none
	soloOn bool
	// closed when the last delivery of a consumer was taken
	drained, soloDrained <-chan struct{}
	window               int
	changed              time.Time // when the window was chosen
	count                int       // consumers so far
	timer                *time.Timer
}

// follow consumes as demand goes up and down, until the channel is gone.
func (c *channel) follow(ctx context.Context) error {
	closed := c.ch.NotifyClose(make(chan *amqp.Error, 1))
	cancelled := c.ch.NotifyCancel(make(chan string, 8))
	tick := time.NewTicker(unwantedFor / 4)
	defer tick.Stop()
	limbo := time.NewTicker(5 * time.Second)
	defer limbo.Stop()
	c.intake.s.leaveLimbo(c.session)
	if err := c.adjust(ctx); err != nil {
		return err
	}
	for {
		select {
		case <-c.intake.poke:
		case <-tick.C:
		case <-limbo.C:
			c.intake.s.leaveLimbo(c.session)
			continue
		case tag := <-cancelled:
			c.intake.s.forgetDeclared()
			_ = c.session.close(c.ch)
			return fmt.Errorf("the broker cancelled consumer %s: the queue was deleted or moved", tag)
		case err := <-closed:
			if err == nil {
				return errors.New("channel closed")
			}
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := c.adjust(ctx); err != nil {
			_ = c.session.close(c.ch)
			return err
		}
	}
}

// close closes a channel, and does not wait for a broker that does not answer.
func (s *session) close(ch *amqp.Channel) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return within(ctx, s, ch.Close)
}

// adjust starts, widens, narrows or cancels the consumer.
func (c *channel) adjust(ctx context.Context) error {
	n := c.intake.demand(time.Now())
	window := min(max(n+n/2, smallestWindow), largestWindow)
	if c.intake.s.opts.Ordered {
		window = 1
	}
	c.mu.Lock()
	tag, now, since := c.tag, c.window, time.Since(c.changed)
	c.mu.Unlock()
	// a change stops the flow for a moment, so it has to be worth it
	wider := window >= 2*now
	narrower := window < now/8 && since > narrowAfter
	ctx, cancel := context.WithTimeout(ctx, c.intake.s.opts.OpTimeout)
	defer cancel()
	switch {
	case n == 0 && tag != "":
		return within(ctx, c.session, func() error { return c.withdraw(nil) })
	case n == 0:
		return nil
	case tag == "", wider, narrower:
		return within(ctx, c.session, func() error { return c.consume(window, tag) })
	}
	return nil
}

// consume begins a consumer with a window, in place of the one named old.
func (c *channel) consume(window int, old string) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	c.mu.Lock()
	if c.tag != old {
		c.mu.Unlock()
		return nil // withdrawn meanwhile
	}
	c.count++
	tag, withSolo, drained := strconv.Itoa(c.count), !c.soloOn, c.drained
	c.mu.Unlock()
	if old != "" { // two at once would mix up the order
		if err := c.ch.Cancel(old, false); err != nil {
			return err
		}
		<-drained
	}
	if err := c.ch.Qos(window, 0, false); err != nil {
		return err
	}
	if err := c.begin(c.intake.s.names.main, tag, false); err != nil {
		return err
	}
	c.mu.Lock()
	c.tag, c.window, c.changed, c.soloOn = tag, window, time.Now(), true
	c.mu.Unlock()
	if !withSolo {
		return nil
	}
	return errors.Join(c.ch.Qos(1, 0, false), c.begin(c.intake.s.names.solo, "solo", true))
}

// begin consumes a queue; its goroutine ends with the consumer.
func (c *channel) begin(name, tag string, solo bool) error {
	deliveries, err := c.ch.Consume(name, tag, false, false, false, false, nil)
	if err != nil {
		return err
	}
	drained := make(chan struct{})
	c.mu.Lock()
	if solo {
		c.soloDrained = drained
	} else {
		c.drained = drained
	}
	c.mu.Unlock()
	go func() {
		defer close(drained)
		for d := range deliveries {
			c.intake.take(c, d, solo)
		}
	}()
	return nil
}

// withdraw cancels the consumers and gives back those messages and all that nobody has
// claimed, in the order in which they came: others have them, at the head.
func (c *channel) withdraw(released []*held) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	c.mu.Lock()
	tag, drained, soloDrained := c.tag, c.drained, c.soloDrained
	c.tag, c.soloOn = "", false
	c.mu.Unlock()
	var err error
	if tag != "" {
		err = errors.Join(c.ch.Cancel(tag, false), c.ch.Cancel("solo", false))
		<-drained
		<-soloDrained
	}
	back := append(c.intake.unclaimed(), released...)
	slices.SortFunc(back, byTag)
	return errors.Join(err, c.requeue(back))
}

func byTag(a, b *held) int { return cmp.Compare(a.d.DeliveryTag, b.d.DeliveryTag) }

// ack has a delivery acknowledged soon, together with others.
func (c *channel) ack(tag uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tags.finish(tag, time.Now())
	if c.timer == nil {
		c.timer = time.AfterFunc(ackEvery, c.flush)
	}
}

// flush sends the acknowledgements that are due.
func (c *channel) flush() { c.sendAcks(false) }

func (c *channel) sendAcks(all bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	upTo, alone := c.tags.due(time.Now(), all)
	// a channel that is gone refuses: the broker has the messages again
	if upTo > 0 {
		_ = c.ch.Ack(upTo, true)
	}
	for _, tag := range alone {
		_ = c.ch.Ack(tag, false)
	}
	c.timer = nil
	if c.tags.waiting() {
		c.timer = time.AfterFunc(ackEvery, c.flush)
	}
}

// requeue gives messages back to the head of their queue.
func (c *channel) requeue(list []*held) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range list {
		c.tags.settled(h.d.DeliveryTag)
		if err := c.ch.Nack(h.d.DeliveryTag, false, true); err != nil {
			return err
		}
	}
	return nil
}
