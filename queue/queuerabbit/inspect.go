package queuerabbit

import (
	"context"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/queue"
)

var (
	_ queue.InspectBackend = (*store)(nil)
	_ queue.ControlBackend = (*store)(nil)
)

// normalLevel is where Stats.Ready counts messages of queue.PriorityNormal.
const normalLevel = int(queue.PriorityUrgent - queue.PriorityNormal)

// Stats implements queue.InspectBackend: it counts what is ready and what is dead. Now
// is the process' time.
func (s *store) Stats(ctx context.Context) (queue.Stats, error) {
	st := queue.Stats{Now: time.Now()}
	counts, err := request(ctx, s, func(ch *amqp.Channel) ([]int, error) {
		var counts []int
		for _, name := range []string{s.names.main, s.names.solo, s.names.dead} {
			q, err := ch.QueueDeclarePassive(name, true, false, false, false, nil)
			if err != nil {
				return nil, err
			}
			counts = append(counts, q.Messages)
		}
		return counts, nil
	})
	if err != nil {
		return queue.Stats{}, err
	}
	st.Ready[normalLevel], st.Dead = counts[0]+counts[1], counts[2]
	return st, nil
}

// request asks the broker on a channel of its own.
func request[T any](ctx context.Context, s *store, ask func(ch *amqp.Channel) (T, error)) (T, error) {
	var none T
	leave, err := s.life.Enter()
	if err != nil {
		return none, err
	}
	defer leave()
	on, err := s.conn.consume.await(ctx) // an alarm does not stop that connection
	if err != nil {
		return none, err
	}
	if err := s.declare(ctx, on); err != nil {
		return none, err
	}
	v, err := obtain(ctx, on, func(on *session) (T, error) {
		ch, err := on.conn.Channel()
		if err != nil {
			return none, err
		}
		defer func() { _ = ch.Close() }()
		return ask(ch)
	}, func(T) {})
	if refused(err, amqp.NotFound) {
		s.forgetDeclared() // the next call makes what was deleted
	}
	return v, err
}

// List implements queue.InspectBackend for dead messages, all of which it reads.
func (s *store) List(ctx context.Context, req queue.ListRequest) (queue.Page, error) {
	if req.State != queue.StateDead {
		return queue.Page{}, fmt.Errorf("%w: no list of messages that are %s", queue.ErrUnsupported, req.State)
	}
	p := &paging{skip: req.Offset, limit: req.Limit}
	if err := s.walk(ctx, p); err != nil {
		return queue.Page{}, err
	}
	return p.page, nil
}

// paging is a look that collects a page.
type paging struct {
	skip, limit int
	page        queue.Page
}

func (*paging) want() int { return lookAtOnce }

func (p *paging) see(_ context.Context, list []amqp.Delivery) []bool {
	for i := range list {
		switch {
		case p.skip > 0:
			p.skip--
		case len(p.page.Messages) < p.limit:
			p.page.Messages = append(p.page.Messages, deadInfo(&list[i]))
		default:
			p.page.More = true
		}
	}
	return make([]bool, len(list))
}

// deadInfo reads a dead message.
func deadInfo(d *amqp.Delivery) queue.Info {
	c, err := claimed(d)
	i := queue.Info{
		Envelope: c.Envelope, State: queue.StateDead, EnqueuedAt: c.EnqueuedAt,
		Failures: int(number(d.Headers, headFailures)),
	}
	i.LastError, _ = d.Headers[headReason].(string)
	if err != nil && i.LastError == "" {
		i.LastError = err.Error()
	}
	if ms := number(d.Headers, headDied); ms > 0 {
		i.Due = time.UnixMilli(ms)
	}
	return i
}

// Get implements queue.InspectBackend for dead messages.
func (s *store) Get(ctx context.Context, id queue.ID) (queue.Info, error) {
	var found queue.Info
	p := newPicking([]queue.ID{id}, func(_ context.Context, d []*amqp.Delivery) ([]error, bool) {
		found = deadInfo(d[0])
		return nil, false
	})
	if err := s.walk(ctx, p); err != nil {
		return queue.Info{}, err
	}
	if p.errs[0] != nil {
		return queue.Info{}, errNotDead()
	}
	return found, nil
}

// Consumers implements queue.InspectBackend: the broker does not tell their names.
func (*store) Consumers(context.Context) ([]queue.ConsumerInfo, error) {
	return nil, fmt.Errorf("%w: %v", queue.ErrUnsupported, queue.CanInspect)
}

// errNotDead says that a message may exist, but not where it can be found.
func errNotDead() error {
	return fmt.Errorf("%w: it is not among the dead, and no others can be found by their ID", queue.ErrUnsupported)
}
