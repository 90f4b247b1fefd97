package queuerabbit

import (
	"context"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
)

// leaveLimbo moves back what came out of the ladder while the queue did not exist.
func (s *store) leaveLimbo(on *session) {
	if !s.delays() {
		return
	}
	s.life.Go("leave limbo", func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, s.opts.OpTimeout)
		defer cancel()
		err := s.onChannel(ctx, on, func(ch *amqp.Channel) error { return s.fetchLimbo(ctx, ch) })
		if err != nil && ctx.Err() == nil {
			s.log.Warn("messages in limbo stay there for now", "error", err)
		}
	})
}

// fetchLimbo looks at each message once. Those of other queues stay: the end of the
// channel gives them back.
func (s *store) fetchLimbo(ctx context.Context, ch *amqp.Channel) error {
	in, err := ch.QueueDeclarePassive(s.names.limbo, true, false, false, false, nil)
	if err != nil {
		return err
	}
	for range in.Messages {
		d, ok, err := ch.Get(s.names.limbo, false)
		if err != nil || !ok {
			return err
		}
		if word := d.RoutingKey[strings.LastIndexByte(d.RoutingKey, '.')+1:]; word != s.names.word {
			continue
		}
		o := &outgoing{key: s.names.main, message: copied(&d)}
		if errs := s.send(ctx, []*outgoing{o}); errs[0] != nil {
			return errs[0]
		}
		if err := d.Ack(false); err != nil {
			return err
		}
	}
	return nil
}
