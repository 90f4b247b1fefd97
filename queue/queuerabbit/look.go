package queuerabbit

import (
	"context"
	"errors"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/backoff"
)

// lookAtOnce is how many dead messages are held at a time.
const lookAtOnce = 100

// A look says what becomes of the next dead messages, in the order of the queue.
type look interface {
	// want is how many to bring next, 0 if the look may end.
	want() int
	// see tells which of them go; the others are given back.
	see(ctx context.Context, list []amqp.Delivery) (gone []bool)
}

// walk shows the dead messages to l, each once. What is given back goes to the tail
// of the queue, so a walk that gave back any goes on until all have had their turn:
// then they are in the order in which they were. One walk at a time goes on in the
// cluster. If it is cut off, the broker gives back what it held; l then goes on being
// used, so who called must not touch it after an error.
func (s *store) walk(ctx context.Context, l look) error {
	leave, err := s.life.Enter()
	if err != nil {
		return err
	}
	defer leave()
	on, err := s.conn.consume.await(ctx) // an alarm does not stop that connection
	if err != nil {
		return err
	}
	if err := s.declare(ctx, on); err != nil {
		return err
	}
	pause := backoff.Policy{Base: 20 * time.Millisecond, Max: 200 * time.Millisecond, Jitter: 0.5}
	for attempt := 0; ; attempt++ {
		err := s.walkOnce(ctx, on, l)
		switch {
		case !refused(err, amqp.ResourceLocked):
			if refused(err, amqp.NotFound) {
				s.forgetDeclared() // the next call makes what was deleted
			}
			return err
		case backoff.Sleep(ctx, pause.Delay(attempt)) != nil:
			return fmt.Errorf("another process looks at the dead: %w", context.Cause(ctx))
		}
	}
}

func refused(err error, code int) bool {
	e, ok := errors.AsType[*amqp.Error](err)
	return ok && e.Code == code
}

// walkOnce walks while a queue that only this connection may use keeps other processes
// off. That queue has a channel of its own, which no fault of the walk closes.
func (s *store) walkOnce(ctx context.Context, on *session, l look) error {
	select {
	case s.looking <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return within(ctx, on, func() error {
		defer func() { <-s.looking }()
		guard, err := on.conn.Channel()
		if err != nil {
			return err
		}
		defer func() { _ = guard.Close() }()
		_, err = guard.QueueDeclare(s.names.look, false, false, true, false, amqp.Table{"x-queue-type": "classic"})
		if err != nil {
			return err
		}
		defer func() { _, _ = guard.QueueDelete(s.names.look, false, false, false) }() // or gone with the connection
		ch, err := on.conn.Channel()
		if err != nil {
			return err
		}
		defer func() { _ = ch.Close() }()
		return s.walkAlone(ctx, ch, l)
	})
}

func (s *store) walkAlone(ctx context.Context, ch *amqp.Channel, l look) error {
	left, err := s.countDead(ch)
	kept := 0
	for left > 0 && err == nil {
		n := l.want()
		if n == 0 && kept == 0 {
			return nil
		}
		if n == 0 {
			n = lookAtOnce
		}
		list, err := s.bring(ctx, ch, min(n, left, lookAtOnce))
		if err != nil || len(list) == 0 {
			return err
		}
		back, err := settleSeen(list, l.see(ctx, list))
		if err != nil {
			return err
		}
		left, kept = left-len(list), kept+back
	}
	if err != nil || kept == 0 {
		return err
	}
	return s.awaitBack(ctx, ch, kept)
}

func (s *store) countDead(ch *amqp.Channel) (int, error) {
	q, err := ch.QueueDeclarePassive(s.names.dead, true, false, false, false, nil)
	return q.Messages, err
}

// bring takes the next n of the dead, or fewer if there are no more.
func (s *store) bring(ctx context.Context, ch *amqp.Channel, n int) ([]amqp.Delivery, error) {
	if err := ch.Qos(n, 0, false); err != nil {
		return nil, err
	}
	deliveries, err := ch.Consume(s.names.dead, "look", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	list := make([]amqp.Delivery, 0, n)
	ask := time.NewTicker(100 * time.Millisecond)
	defer ask.Stop()
	for len(list) < n {
		select {
		case d, ok := <-deliveries:
			if !ok {
				return nil, errUnsent
			}
			list = append(list, d)
			continue
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ask.C:
		}
		if dead, err := s.countDead(ch); err != nil || dead == 0 && len(deliveries) == 0 {
			break // somebody has purged it
		}
	}
	if err := ch.Cancel("look", false); err != nil {
		return nil, err
	}
	for d := range deliveries { // until the end of the consumer
		list = append(list, d)
	}
	return list, nil
}

// settleSeen acknowledges what is gone and gives back the rest. It does that at once:
// the broker keeps the order within one such request only.
func settleSeen(list []amqp.Delivery, gone []bool) (back int, err error) {
	last := 0
	for i, d := range list {
		if !gone[i] {
			last, back = i, back+1
		} else if err := d.Ack(false); err != nil {
			return 0, err
		}
	}
	if back == 0 {
		return 0, nil
	}
	return back, list[last].Nack(true, true)
}

// awaitBack waits until what was given back is in the queue, so that the next look
// finds it.
func (s *store) awaitBack(ctx context.Context, ch *amqp.Channel, n int) error {
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		if dead, err := s.countDead(ch); err != nil || dead >= n {
			return err
		}
		if err := backoff.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil // others have taken some out
}
