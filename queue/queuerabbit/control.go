package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

// pickAtOnce bounds the acknowledgements that are on their way. From 32 on the broker's
// channel keeps them back until others were stored, and drops them when it is closed.
const pickAtOnce = 16

// picking is a look for messages by their IDs.
type picking struct {
	open map[queue.ID]int // positions in errs of those not found yet
	errs []error
	do   func(ctx context.Context, found []*amqp.Delivery) (errs []error, gone bool)

	began atomic.Bool // something may have been done
}

// newPicking calls do with messages that were found. They are gone from the dead if do
// says so and has no error for them.
func newPicking(ids []queue.ID, do func(ctx context.Context, found []*amqp.Delivery) ([]error, bool)) *picking {
	p := &picking{open: make(map[queue.ID]int, len(ids)), errs: make([]error, len(ids)), do: do}
	for i, id := range ids {
		p.open[id], p.errs[i] = i, queue.ErrNotFound
	}
	return p
}

func (p *picking) want() int { return min(len(p.open), pickAtOnce) }

func (p *picking) see(ctx context.Context, list []amqp.Delivery) []bool {
	gone := make([]bool, len(list))
	var found []*amqp.Delivery
	var at, of []int // positions in list and in errs
	for i := range list {
		c, _ := claimed(&list[i]) // it has an ID whatever else it lacks
		if place, ok := p.open[c.ID]; ok {
			delete(p.open, c.ID)
			found, at, of = append(found, &list[i]), append(at, i), append(of, place)
		}
	}
	if len(found) == 0 {
		return gone
	}
	p.began.Store(true)
	errs, removed := p.do(ctx, found)
	for i := range found {
		p.errs[of[i]] = nil
		if errs != nil {
			p.errs[of[i]] = errs[i]
		}
		gone[at[i]] = removed && p.errs[of[i]] == nil
	}
	return gone
}

// pick walks, and says whether its outcome is known.
func (s *store) pick(ctx context.Context, p *picking) error {
	err := s.walk(ctx, p)
	if err != nil && p.began.Load() {
		return fmt.Errorf("%w: %w", queue.ErrUncertain, err)
	}
	return err
}

// Redrive implements queue.ControlBackend. A message is stored as new before it goes
// from the dead: what cuts that off leaves it in both places.
func (s *store) Redrive(ctx context.Context, ids []queue.ID) ([]error, error) {
	p := newPicking(ids, func(ctx context.Context, found []*amqp.Delivery) ([]error, bool) {
		items := make([]*outgoing, len(found))
		for i, d := range found {
			items[i] = &outgoing{key: s.names.main, message: copied(d)}
			for _, name := range []string{headFailures, headReason, headDied, headRest} {
				delete(items[i].message.Headers, name)
			}
		}
		return s.send(ctx, items), true
	})
	if err := s.pick(ctx, p); err != nil {
		return nil, err
	}
	return p.errs, nil
}

// Cancel implements queue.ControlBackend for dead messages.
func (s *store) Cancel(ctx context.Context, id queue.ID) error {
	p := newPicking([]queue.ID{id}, func(context.Context, []*amqp.Delivery) ([]error, bool) { return nil, true })
	if err := s.pick(ctx, p); err != nil {
		return err
	}
	if errors.Is(p.errs[0], queue.ErrNotFound) {
		return errNotDead()
	}
	return nil
}

// Purge implements queue.ControlBackend for what is ready or dead; what a process holds
// stays. It removes all at once.
func (s *store) Purge(ctx context.Context, state queue.State, _ int) (int, error) {
	var list []string
	switch state {
	case queue.StateReady:
		list = []string{s.names.main, s.names.solo}
	case queue.StateDead:
		list = []string{s.names.dead}
	default:
		return 0, fmt.Errorf("%w: no removal of messages that are %s", queue.ErrUnsupported, state)
	}
	return request(ctx, s, func(ch *amqp.Channel) (total int, err error) {
		for _, name := range list {
			n, err := ch.QueuePurge(name, false)
			if err != nil {
				return total, err
			}
			total += n
		}
		return total, nil
	})
}

// Pause implements queue.ControlBackend: the broker cannot.
func (*store) Pause(context.Context, time.Time) error {
	return fmt.Errorf("%w: %v", queue.ErrUnsupported, queue.CanPause)
}
