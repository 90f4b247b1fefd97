package queuerabbit

import (
	"context"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Enqueue implements queue.Backend.
func (s *store) Enqueue(ctx context.Context, batch []queue.Envelope) ([]error, error) {
	leave, err := s.life.Enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	now := time.Now()
	items := make([]*outgoing, len(batch))
	for i := range batch {
		e := &batch[i]
		delay := e.Delay
		if !e.At.IsZero() {
			delay = time.Until(e.At)
		}
		items[i] = &outgoing{message: publishing(e, now)}
		s.address(items[i], delay)
	}
	return s.send(ctx, items), nil
}

// address sends o to the queue, at once or by way of the ladder.
func (s *store) address(o *outgoing, delay time.Duration) {
	delete(o.message.Headers, headRest)
	if delay <= 0 {
		o.key = s.names.main
		return
	}
	var rest time.Duration
	o.exchange, o.key, rest = s.names.walk(delay)
	if rest > 0 {
		o.message.Headers[headRest] = rest.Milliseconds()
	}
}
