package queuerabbit

import (
	"context"
	"errors"
	"fmt"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

// names are what a queue and its ladder are called at the broker.
type names struct {
	word, main, dead, solo string
	look                   string // whose owner may look at the dead
	ladder                 string // prefix of its levels
	out, limbo             string
}

func namesOf(namespace, name string) names {
	word := encode(name)
	main, ladder := namespace+".queue."+word, namespace+".delay."
	return names{
		word: word, main: main, dead: main + ".dead", solo: main + ".solo", look: main + ".look",
		ladder: ladder, out: ladder + "out", limbo: ladder + "limbo",
	}
}

// keepsHead is the delivery limit of a queue: with one, what is given back goes to
// the head, and not to the tail. Messages become suspects long before.
const keepsHead = 10_000

// declareMain declares the queue, its dead and its suspects.
func (s *store) declareMain(ch *amqp.Channel) error {
	quorum := func(more amqp.Table) amqp.Table {
		more["x-queue-type"] = "quorum"
		return more
	}
	durable := func(name string, args amqp.Table) error {
		_, err := ch.QueueDeclare(name, true, false, false, false, args)
		return err
	}
	main := quorum(amqp.Table{
		argLimit: int64(keepsHead), "x-overflow": "reject-publish",
		"x-dead-letter-exchange": "", "x-dead-letter-routing-key": s.names.dead, "x-dead-letter-strategy": "at-least-once",
		"x-consumer-timeout": s.opts.MaxRun.Milliseconds(),
	})
	if s.opts.MaxLen > 0 {
		main["x-max-length"] = int64(s.opts.MaxLen)
	}
	if s.opts.Ordered {
		main["x-single-active-consumer"] = true
	}
	return errors.Join(
		durable(s.names.dead, quorum(amqp.Table{argLimit: int64(-1)})),
		durable(s.names.solo, quorum(amqp.Table{
			argLimit: int64(-1), "x-consumer-timeout": s.opts.MaxRun.Milliseconds(),
		})),
		durable(s.names.main, main),
	)
}

// declare makes what the queue needs of the broker, once per session, on a channel of
// its own: what is refused there hurts nobody else.
func (s *store) declare(ctx context.Context, on *session) error {
	s.declaring.Lock()
	defer s.declaring.Unlock()
	if s.declared[on] {
		return nil
	}
	if err := s.onChannel(ctx, on, s.declareAll); err != nil {
		return err
	}
	for old := range s.declared {
		select {
		case <-old.ended:
			delete(s.declared, old)
		default:
		}
	}
	s.declared[on] = true
	return nil
}

// forgetDeclared has everything declared again, because some of it was missing.
func (s *store) forgetDeclared() {
	s.declaring.Lock()
	defer s.declaring.Unlock()
	clear(s.declared)
}

func (s *store) declareAll(ch *amqp.Channel) error {
	err := s.declareMain(ch)
	if err == nil && s.delays() {
		err = s.declareLadder(ch)
	}
	if e, ok := errors.AsType[*amqp.Error](err); ok && e.Code == amqp.PreconditionFailed {
		return fmt.Errorf("%w: %s", queue.ErrTopologyMismatch, e.Reason)
	}
	return err
}

// onChannel calls f with a channel of the session that is closed afterwards. It
// returns when ctx ends, whatever the broker does.
func (s *store) onChannel(ctx context.Context, on *session, f func(ch *amqp.Channel) error) error {
	return within(ctx, on, func() error {
		ch, err := on.conn.Channel()
		if err != nil {
			return err
		}
		defer func() { _ = ch.Close() }() // one that was refused is closed already
		return f(ch)
	})
}
