package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

// maxUnconfirmed is how many messages wait for their confirmation at once.
const maxUnconfirmed = 1024

// An outgoing is a message on its way to the broker.
type outgoing struct {
	exchange, key string
	message       amqp.Publishing

	batch    *batch
	returned bool
	err      error // once batch.left does not count it any more
}

// A batch is what one caller publishes.
type batch struct {
	items []*outgoing

	mu      sync.Mutex
	begun   bool // some may have been sent
	dropped bool // the caller has gone before that
	left    int
	done    chan struct{}
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

func (o *outgoing) end(err error) {
	b := o.batch
	b.mu.Lock()
	defer b.mu.Unlock()
	o.err = err
	if b.left--; b.left == 0 {
		close(b.done)
	}
}

// results are the errors of the items; those without an answer have the given one.
func (b *batch) results(err error) []error {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := make([]error, len(b.items))
	for i, o := range b.items {
		if errs[i] = o.err; errors.Is(o.err, errPending) {
			errs[i] = err
		}
	}
	return errs
}

var (
	errPending = errors.New("no answer yet")
	// errUnsent reports a message that was not sent for lack of a channel.
	errUnsent = errors.New("connection lost before the message was sent")
)

// A publisher is one life of the channel that a queue publishes on. Its messages are
// confirmed in a window; both of its goroutines end with the channel.
type publisher struct {
	session *session
	ch      *amqp.Channel
	batches chan *batch
	ended   chan struct{}
	slots   chan struct{}

	mu      sync.Mutex
	next    uint64
	pending map[uint64]*outgoing
}

func newPublisher(on *session) (*publisher, error) {
	ch, err := on.conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Confirm(false); err != nil {
		return nil, errors.Join(err, ch.Close())
	}
	p := &publisher{
		session: on, ch: ch, batches: make(chan *batch), ended: make(chan struct{}),
		slots: make(chan struct{}, maxUnconfirmed), next: 1, pending: map[uint64]*outgoing{},
	}
	// a return is handed over before the confirmation that follows it is looked at
	returns := ch.NotifyReturn(make(chan amqp.Return))
	confirms := ch.NotifyPublish(make(chan amqp.Confirmation, maxUnconfirmed))
	go p.listen(returns, confirms)
	go p.write()
	return p, nil
}

// listen takes answers until the channel is gone; what then has none is uncertain.
func (p *publisher) listen(returns <-chan amqp.Return, confirms <-chan amqp.Confirmation) {
	for {
		select {
		case r, ok := <-returns:
			if !ok {
				returns = nil
				continue
			}
			p.giveBack(r)
		case c, ok := <-confirms:
			if !ok {
				p.gone()
				return
			}
			p.confirm(c)
		}
	}
}

func (p *publisher) giveBack(r amqp.Return) {
	seq, err := strconv.ParseUint(r.CorrelationId, 36, 64)
	if err != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if o := p.pending[seq]; o != nil {
		o.returned = true
	}
}

func (p *publisher) confirm(c amqp.Confirmation) {
	p.mu.Lock()
	o := p.pending[c.DeliveryTag]
	delete(p.pending, c.DeliveryTag)
	p.mu.Unlock()
	if o == nil {
		return
	}
	<-p.slots
	switch {
	case !c.Ack && p.ch.IsClosed():
		o.end(queue.ErrUncertain) // the library says no for all that is pending at the end
	case !c.Ack:
		o.end(queue.ErrQueueFull)
	case o.returned:
		o.end(ErrUnroutable)
	default:
		o.end(nil)
	}
}

func (p *publisher) gone() {
	close(p.ended)
	p.mu.Lock()
	pending := p.pending
	p.pending = nil
	p.mu.Unlock()
	for _, o := range pending {
		o.end(queue.ErrUncertain)
	}
}

// write sends batches until the channel is gone.
func (p *publisher) write() {
	for {
		select {
		case b := <-p.batches:
			if b.start() {
				p.send(b)
			}
		case <-p.ended:
			return
		}
	}
}

func (p *publisher) send(b *batch) {
	for i, o := range b.items {
		select {
		case p.slots <- struct{}{}:
		case <-p.ended:
			for _, rest := range b.items[i:] {
				rest.end(errUnsent)
			}
			return
		}
		p.mu.Lock()
		if p.pending == nil {
			p.mu.Unlock()
			o.end(errUnsent)
			continue
		}
		o.message.CorrelationId = strconv.FormatUint(p.next, 36)
		p.pending[p.next] = o
		p.next++
		p.mu.Unlock()
		// an error ends the channel, and that all that is pending
		if err := p.ch.Publish(o.exchange, o.key, true, false, o.message); err != nil {
			_ = p.session.raw.Close()
		}
	}
}

// publish sends items and waits for what becomes of each, as long as ctx allows.
func (p *publisher) publish(ctx context.Context, items []*outgoing) []error {
	b := &batch{items: items, left: len(items), done: make(chan struct{})}
	for _, o := range items {
		o.batch, o.returned, o.err = b, false, errPending
	}
	if err := p.session.awaitFree(ctx); err != nil {
		return b.results(err)
	}
	select {
	case p.batches <- b:
	case <-p.ended:
		return b.results(errUnsent)
	case <-ctx.Done():
		return b.results(p.late(ctx, false))
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		return b.results(p.late(ctx, !b.drop()))
	}
	return b.results(nil)
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
