package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

// maxUnconfirmed is how many messages wait for their confirmation at once.
const maxUnconfirmed = 1024

// An outgoing is a message on its way to the broker.
type outgoing struct {
	exchange, key string
	message       amqp.Publishing

	// set by the publisher before it says that the batch is sent
	ticket *ticket
	err    error // why there is none
}

// again is o for another try: a publisher may still have the first.
func (o *outgoing) again() *outgoing {
	return &outgoing{exchange: o.exchange, key: o.key, message: o.message}
}

// A ticket stands for a message that was sent.
type ticket struct {
	number   string
	confirm  *amqp.DeferredConfirmation
	returned atomic.Bool // before it is confirmed
}

// A batch is what one caller publishes.
type batch struct {
	items []*outgoing
	sent  chan struct{} // closed when each item has a confirmation to wait for, or an error

	mu      sync.Mutex
	begun   bool // some may have been sent
	dropped bool // the caller has gone before that
}

// start reports whether the batch may be sent: not if its caller has gone.
func (b *batch) start() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.begun = !b.dropped
	return b.begun
}

// drop reports whether nothing has been sent, and nothing will be.
func (b *batch) drop() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.dropped = !b.begun
	return b.dropped
}

// errUnsent reports a message that was not sent for lack of a channel.
var errUnsent = errors.New("connection lost before the message was sent")

// A publisher is one life of the channel that a queue publishes on. It sends batches
// one behind the other, in a window, and every caller waits for the confirmations of
// its own messages. Both of its goroutines end with the channel.
type publisher struct {
	session *session
	ch      *amqp.Channel
	batches chan *batch
	ended   chan struct{}

	next uint64 // of write

	mu     sync.Mutex
	window [maxUnconfirmed]*ticket // by their numbers
}

func newPublisher(on *session) (*publisher, error) {
	ch, err := on.conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, errors.Join(err, ch.Close())
	}
	p := &publisher{session: on, ch: ch, batches: make(chan *batch), ended: make(chan struct{})}
	// The library hands a return to both channels before it looks at the confirmation
	// that follows: once the second has taken it, what was done with the first is done.
	returns, seen := ch.NotifyReturn(make(chan amqp.Return)), ch.NotifyReturn(make(chan amqp.Return))
	go p.listen(returns, seen)
	go p.write()
	return p, nil
}

// listen takes returns until the channel is gone.
func (p *publisher) listen(returns, seen <-chan amqp.Return) {
	defer close(p.ended)
	for r := range returns {
		p.giveBack(r)
		<-seen
	}
}

func (p *publisher) giveBack(r amqp.Return) {
	number, err := strconv.ParseUint(r.CorrelationId, 36, 64)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.window[number%maxUnconfirmed]; t != nil && t.number == r.CorrelationId {
		t.returned.Store(true)
	}
}

// write sends batches until the channel is gone. What waits goes out together.
func (p *publisher) write() {
	for {
		select {
		case b := <-p.batches:
			p.session.raw.cork()
			p.send(b)
			for more := true; more; {
				select {
				case b := <-p.batches:
					p.send(b)
				default:
					more = false
				}
			}
			p.session.raw.uncork()
		case <-p.ended:
			return
		}
	}
}

func (p *publisher) send(b *batch) {
	defer close(b.sent)
	if !b.start() {
		return
	}
	for _, o := range b.items {
		if !p.awaitRoom() {
			o.err = errUnsent
			continue
		}
		t := &ticket{number: strconv.FormatUint(p.next, 36)}
		o.ticket, o.message.CorrelationId = t, t.number
		p.mu.Lock()
		p.window[p.next%maxUnconfirmed] = t
		p.mu.Unlock()
		p.next++
		t.confirm, o.err = p.ch.PublishWithDeferredConfirm(o.exchange, o.key, true, false, o.message)
		switch {
		case errors.Is(o.err, amqp.ErrClosed):
			o.err = errUnsent
		case o.err != nil:
			o.err = fmt.Errorf("%w: %w", queue.ErrUncertain, o.err)
			_ = p.session.raw.Close() // and with it what is pending
		}
	}
}

// awaitRoom waits until the window has room, false if the channel is gone.
func (p *publisher) awaitRoom() bool {
	t := p.window[p.next%maxUnconfirmed] // which only this goroutine sets
	if t == nil || t.confirm == nil {
		return true
	}
	select {
	case <-t.confirm.Done():
		return true
	default:
	}
	p.session.raw.uncork()
	defer p.session.raw.cork()
	select {
	case <-t.confirm.Done():
		return true
	case <-p.ended:
		return false
	}
}

// publish sends items and waits for what becomes of each, as long as ctx allows.
func (p *publisher) publish(ctx context.Context, items []*outgoing) []error {
	if err := p.session.awaitFree(ctx); err != nil {
		return same(items, err)
	}
	b := &batch{items: items, sent: make(chan struct{})}
	select {
	case p.batches <- b:
	case <-p.ended:
		return same(items, errUnsent)
	case <-ctx.Done():
		return same(items, p.late(ctx, false))
	}
	select {
	case <-b.sent:
	case <-ctx.Done():
		return same(items, p.late(ctx, !b.drop()))
	}
	errs := make([]error, len(items))
	for i, o := range items {
		errs[i] = p.outcome(ctx, o)
	}
	return errs
}

// same is one error for all items.
func same(items []*outgoing, err error) []error {
	errs := make([]error, len(items))
	for i := range errs {
		errs[i] = err
	}
	return errs
}

// outcome waits for the confirmation of a message that was sent.
func (p *publisher) outcome(ctx context.Context, o *outgoing) error {
	if o.err != nil {
		return o.err
	}
	t := o.ticket
	select {
	case <-t.confirm.Done():
	default:
		select {
		case <-t.confirm.Done():
		case <-p.ended:
		case <-ctx.Done():
		}
	}
	select {
	case <-t.confirm.Done():
	default:
		if ctx.Err() != nil {
			return p.late(ctx, true)
		}
		return queue.ErrUncertain
	}
	switch {
	case !t.confirm.Acked() && p.ch.IsClosed():
		return queue.ErrUncertain // the library says no for all that is pending at the end
	case !t.confirm.Acked():
		return queue.ErrQueueFull
	case t.returned.Load():
		return ErrUnroutable
	}
	return nil
}

// late is the error of a message whose caller does not wait any longer.
func (p *publisher) late(ctx context.Context, sent bool) error {
	err := context.Cause(ctx)
	if why := p.session.blockedFor(); why != "" {
		err = fmt.Errorf("%w (%s): %w", ErrBlocked, why, err)
	}
	if sent {
		err = fmt.Errorf("%w: %w", queue.ErrUncertain, err)
	}
	return err
}
