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

	"github.com/cohort-go/cohort/internal/backoff"
	"github.com/cohort-go/cohort/queue"
)

const (
	// unwantedFor is how long nobody asks for messages before the consumer is
	// cancelled and what it holds goes back.
	unwantedFor = time.Second
	// suspectAfter is the number of losses after which a message runs alone.
	suspectAfter = 3

	smallestWindow = 16
	largestWindow  = 2000
	ackEvery       = 5 * time.Millisecond
)

// A held is one delivery that is not settled.
type held struct {
	queue.Claimed

	from *channel
	d    amqp.Delivery
}

// intake takes messages from the broker for as long as somebody wants them.
type intake struct {
	s     *store
	begin sync.Once
	poke  chan struct{} // demand has changed

	mu       sync.Mutex
	wanted   map[string]want // by consumer
	serial   uint64          // of receipts
	held     map[queue.Receipt]*held
	finished map[queue.Receipt]bool // settled in a call that failed as a whole
	buffer   []*held                // not claimed yet
	solo     *held                  // a suspect, not claimed yet
	out      int                    // claimed and not settled
	arrived  chan struct{}          // closed with the next arrival
	err      error                  // why nothing comes, told once
	current  *channel
}

// want is what a consumer asked for and when.
type want struct {
	n  int
	at time.Time
}

func newIntake(s *store) *intake {
	return &intake{
		s: s, poke: make(chan struct{}, 1), wanted: map[string]want{}, held: map[queue.Receipt]*held{},
		finished: map[queue.Receipt]bool{}, arrived: make(chan struct{}),
	}
}

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
	count                int // consumers so far
	timer                *time.Timer
}

// ask notes what a consumer wants and starts the intake with the first call.
func (in *intake) ask(consumer string, n int) {
	in.begin.Do(func() { in.s.life.Go("consume", in.run) })
	in.mu.Lock()
	in.wanted[consumer] = want{n, time.Now()}
	in.mu.Unlock()
	select {
	case in.poke <- struct{}{}:
	default:
	}
}

// demand is how many messages are wanted now.
func (in *intake) demand(now time.Time) (n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for consumer, w := range in.wanted {
		if now.Sub(w.at) > unwantedFor {
			delete(in.wanted, consumer)
			continue
		}
		n += w.n
	}
	return n
}

// run keeps a channel as long as messages are wanted or held, until ctx ends.
func (in *intake) run(ctx context.Context) {
	pause := backoff.Policy{Base: 50 * time.Millisecond, Max: time.Second, Jitter: 0.3}
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if in.demand(time.Now()) == 0 {
			select {
			case <-in.poke:
			case <-ctx.Done():
			}
			attempt = -1
			continue
		}
		c, err := in.open(ctx)
		if err == nil {
			attempt = -1
			err = c.follow(ctx)
		}
		in.lose(c, err)
		if ctx.Err() == nil {
			_ = backoff.Sleep(ctx, pause.Delay(max(attempt, 0)))
		}
	}
}

func (in *intake) open(ctx context.Context) (*channel, error) {
	on, err := in.s.conn.consume.await(ctx)
	if err != nil {
		return nil, err
	}
	bounded, cancel := context.WithTimeout(ctx, in.s.opts.OpTimeout)
	defer cancel()
	if err := in.s.declare(bounded, on); err != nil {
		return nil, err
	}
	c := &channel{intake: in, session: on, ended: make(chan struct{})}
	err = within(bounded, on, func() (err error) {
		c.ch, err = on.conn.Channel()
		return err
	})
	if err != nil {
		return nil, err
	}
	in.mu.Lock()
	in.current, in.err = c, nil
	in.mu.Unlock()
	return c, nil
}

// lose drops what a channel held: the broker gives it to others.
func (in *intake) lose(c *channel, err error) {
	in.mu.Lock()
	if err != nil && in.err == nil {
		in.err = err
	}
	lost := 0
	if c != nil {
		close(c.ended)
		in.buffer = nil
		in.solo = nil
		for r, h := range in.held {
			if h.from == c {
				delete(in.held, r)
				lost++
			}
		}
		clear(in.finished)
		in.out = 0
	}
	in.current = nil
	in.wake()
	in.mu.Unlock()
	if lost > 0 {
		select {
		case in.s.losses <- struct{}{}:
		default:
		}
	}
}

// wake ends every Wait. The caller holds mu.
func (in *intake) wake() {
	close(in.arrived)
	in.arrived = make(chan struct{})
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
	tag, now := c.tag, c.window
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, c.intake.s.opts.OpTimeout)
	defer cancel()
	switch {
	case n == 0 && tag != "":
		return within(ctx, c.session, func() error { return c.withdraw(nil) })
	case n == 0:
		return nil
	case tag == "", window > now, window < now/4:
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
	c.tag, c.window, c.soloOn = tag, window, true
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

// unclaimed takes out what nobody has claimed. Who wants more has to ask again.
func (in *intake) unclaimed() []*held {
	in.mu.Lock()
	defer in.mu.Unlock()
	clear(in.wanted)
	back := in.buffer
	if in.solo != nil {
		back = append(back, in.solo)
	}
	in.buffer, in.solo = nil, nil
	for _, h := range back {
		delete(in.held, h.Receipt)
	}
	return back
}

// take keeps a delivery until it is claimed.
func (in *intake) take(c *channel, d amqp.Delivery, solo bool) {
	c.mu.Lock()
	c.tags.delivered(d.DeliveryTag)
	c.mu.Unlock()
	h := &held{from: c, d: d}
	var err error
	h.Claimed, err = claimed(&d)
	losses := int(number(d.Headers, headCount))
	switch {
	case err != nil:
		in.s.aside(h, in.s.names.dead, err.Error())
		return
	case number(d.Headers, headRest) > 0:
		in.s.walkOn(h)
		return
	case solo:
		h.Attempt += losses
		h.Solo = true
		if h.Attempt > h.MaxAttempts {
			in.s.aside(h, in.s.names.dead, "its worker was lost at every attempt")
			return
		}
	case losses >= suspectAfter && !in.s.opts.Ordered:
		in.s.aside(h, in.s.names.solo, "")
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.serial++
	h.Receipt = queue.Receipt(strconv.FormatUint(in.serial, 36))
	in.held[h.Receipt] = h
	if solo {
		in.solo = h
	} else {
		in.insert(h)
	}
	in.wake()
}

// insert keeps the buffer in the order of the broker. The caller holds mu.
func (in *intake) insert(h *held) {
	i, _ := slices.BinarySearchFunc(in.buffer, h, byTag)
	in.buffer = slices.Insert(in.buffer, i, h)
}

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

// close sends what is still to be acknowledged and closes the channel.
func (in *intake) close(ctx context.Context) {
	in.mu.Lock()
	c := in.current
	in.mu.Unlock()
	if c == nil {
		return
	}
	_ = within(ctx, c.session, func() error {
		c.sendAcks(true)
		return c.ch.Close()
	})
}
