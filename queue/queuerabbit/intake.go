package queuerabbit

import (
	"context"
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
	narrowAfter    = 2 * time.Second
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
	ch, err := obtain(bounded, on, func(on *session) (*amqp.Channel, error) { return on.conn.Channel() },
		func(ch *amqp.Channel) { _ = ch.Close() })
	if err != nil {
		return nil, err
	}
	c := &channel{intake: in, session: on, ch: ch, ended: make(chan struct{})}
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
