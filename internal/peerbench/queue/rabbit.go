package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
)

// rabbitWindow is how many messages are sent before their confirmations came, and
// rabbitPrefetch how many are received before they are acknowledged.
const (
	rabbitWindow   = 1024
	rabbitPrefetch = 512
	fewPrefetch    = workers
	rabbitBacklog  = 10_000
	rabbitBatch    = 1000
)

// rabbitOpener opens a contender on a broker, where queue is all its own.
type rabbitOpener func(url, queue string) (system, error)

// rabbitPeer is a contender that is left out where the peer cannot do the work.
type rabbitPeer struct {
	name string
	must float64
	open rabbitOpener
}

func rabbitTables() []frame.Table {
	client := func(window, prefetch int) rabbitOpener {
		return func(url, queue string) (system, error) { return openRaw(url, queue, window, prefetch) }
	}
	cohort := rabbitPeer{"cohort queuerabbit", 0, openCohortRabbit}
	wagslane := func(must float64) rabbitPeer { return rabbitPeer{"wagslane/go-rabbitmq", must, openWagslane} }
	watermill := rabbitPeer{"watermill-amqp", 0, openWatermillRabbit}
	one := rabbitPeer{"amqp091, a confirm each", 0, client(1, rabbitPrefetch)}
	return []frame.Table{
		{
			Name: "RabbitMQ: enqueue, one producer", RabbitMQ: true,
			Contenders: rabbitContenders(0, oneProducer, cohort, one, wagslane(0), watermill),
		},
		{
			Name: "RabbitMQ: enqueue, 16 producers", RabbitMQ: true,
			Contenders: rabbitContenders(0, manyProducers, cohort, one, wagslane(1), watermill),
		},
		{
			Name: "RabbitMQ: enqueue, 1000 at once (per message)", RabbitMQ: true,
			Note: "watermill-amqp waits for each confirmation.",
			Contenders: rabbitContenders(4*rabbitBatch, manyAtOnce(rabbitBatch), cohort,
				rabbitPeer{"amqp091, window of 1024", 0.9, client(rabbitWindow, rabbitPrefetch)}, watermill),
		},
		{
			Name: "RabbitMQ: process a backlog of 10 000, 16 workers", RabbitMQ: true,
			Note: "The contenders that are called amqp091 use the client alone and acknowledge each message; " +
				"cohort runs with retries, timeouts and the isolation of suspects.",
			Contenders: rabbitContenders(rabbitBacklog, wholeBacklog, cohort,
				rabbitPeer{"amqp091, prefetch 512", 0.9, client(rabbitWindow, rabbitPrefetch)},
				rabbitPeer{"amqp091, prefetch 16", 0, client(rabbitWindow, fewPrefetch)},
				wagslane(0), watermill),
		},
	}
}

func rabbitContenders(operations int, work workFunc, list ...rabbitPeer) []frame.Contender {
	contenders := make([]frame.Contender, len(list))
	for i, p := range list {
		contenders[i] = frame.Contender{
			Name: p.name, Must: p.must, Operations: operations,
			Open: func(_ context.Context, env *frame.Env) (frame.Cell, error) {
				queue := fmt.Sprintf("bench-%d", i)
				if err := forget(env.RabbitURL, queue); err != nil {
					return frame.Cell{}, err
				}
				s, err := p.open(env.RabbitURL, queue)
				if err != nil {
					return frame.Cell{}, err
				}
				run, stop := work(s)
				return frame.Cell{Run: run, Close: func() {
					stop()
					s.close()
					_ = forget(env.RabbitURL, queue) // it only takes room
				}}, nil
			},
		}
	}
	return contenders
}

// forget deletes what an earlier table left.
func forget(url, queue string) error {
	conn, ch, err := dialRabbit(url)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	for _, name := range []string{queue, "cohort.queue." + queue} {
		if _, err := ch.QueueDelete(name, false, false, false); err != nil {
			return err
		}
	}
	return nil
}

// dialRabbit connects; its error does not show the URL.
func dialRabbit(url string) (*amqp.Connection, *amqp.Channel, error) {
	if _, err := amqp.ParseURI(url); err != nil {
		return nil, nil, errors.New("-rabbitmq is not a URL of a RabbitMQ")
	}
	conn, err := amqp.Dial(url)
	if err != nil {
		return nil, nil, err
	}
	ch, err := conn.Channel()
	if err != nil {
		return nil, nil, errors.Join(err, conn.Close())
	}
	return conn, ch, nil
}

// declareRabbit makes the queue of a peer, as durable as Cohort's.
func declareRabbit(url, queue string) error {
	conn, ch, err := dialRabbit(url)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing depends on it
	_, err = ch.QueueDeclare(queue, true, false, false, false, quorum())
	return err
}

func quorum() amqp.Table { return amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum} }

// raw is the client alone.
type raw struct {
	conn     *amqp.Connection
	queue    string
	window   int
	prefetch int

	mu sync.Mutex // one batch at a time: a channel is not for several
	ch *amqp.Channel
}

func openRaw(url, queue string, window, prefetch int) (system, error) {
	conn, ch, err := dialRabbit(url)
	if err != nil {
		return nil, err
	}
	_, err = ch.QueueDeclare(queue, true, false, false, false, quorum())
	if err == nil {
		err = ch.Confirm(false)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &raw{conn: conn, queue: queue, window: window, prefetch: prefetch, ch: ch}, nil
}

func (r *raw) publish(payload []byte) (*amqp.DeferredConfirmation, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ch.PublishWithDeferredConfirm("", r.queue, true, false, amqp.Publishing{DeliveryMode: amqp.Persistent, Body: payload})
}

var errNotConfirmed = errors.New("not confirmed")

func (r *raw) put(_ context.Context, payload []byte) error {
	c, err := r.publish(payload)
	if err == nil && !c.Wait() {
		err = errNotConfirmed
	}
	return err
}

func (r *raw) putMany(_ context.Context, payload []byte, n int) error {
	var open []*amqp.DeferredConfirmation
	for range n {
		c, err := r.publish(payload)
		if err != nil {
			return err
		}
		if open = append(open, c); len(open) >= r.window {
			if !open[0].Wait() {
				return errNotConfirmed
			}
			open = open[1:]
		}
	}
	for _, c := range open {
		if !c.Wait() {
			return errNotConfirmed
		}
	}
	return nil
}

func (r *raw) consume(handle func([]byte)) (func(), error) {
	ch, err := r.conn.Channel()
	if err != nil {
		return nil, err
	}
	if err := ch.Qos(r.prefetch, 0, false); err != nil {
		return nil, err
	}
	deliveries, err := ch.Consume(r.queue, "", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	for range workers {
		go func() {
			for d := range deliveries {
				handle(d.Body)
				_ = d.Ack(false) // a failure shows as a message that is missing
			}
		}()
	}
	return func() { _ = ch.Close() }, nil
}

func (r *raw) close() { _ = r.conn.Close() }
