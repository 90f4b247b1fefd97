package queue

import (
	"context"
	"errors"
	"io"
	"log"

	"github.com/ThreeDotsLabs/watermill"
	wamqp "github.com/ThreeDotsLabs/watermill-amqp/v3/pkg/amqp"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/wagslane/go-rabbitmq"
)

type wagslaneSystem struct {
	conn  *rabbitmq.Conn
	pub   *rabbitmq.Publisher
	queue string
}

func openWagslane(url, queue string) (system, error) {
	log.SetOutput(io.Discard) // it writes there
	if err := declareRabbit(url, queue); err != nil {
		return nil, err
	}
	conn, err := rabbitmq.NewConn(url)
	if err != nil {
		return nil, errors.New("wagslane/go-rabbitmq does not connect")
	}
	pub, err := rabbitmq.NewPublisher(conn, rabbitmq.WithPublisherOptionsConfirm)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return &wagslaneSystem{conn, pub, queue}, nil
}

func (w *wagslaneSystem) consumer() (*rabbitmq.Consumer, error) {
	return rabbitmq.NewConsumer(w.conn, w.queue,
		rabbitmq.WithConsumerOptionsQueueQuorum, rabbitmq.WithConsumerOptionsQueueDurable,
		rabbitmq.WithConsumerOptionsQOSPrefetch(rabbitPrefetch), rabbitmq.WithConsumerOptionsConcurrency(workers))
}

func (w *wagslaneSystem) put(ctx context.Context, payload []byte) error {
	confirms, err := w.send(ctx, payload)
	if err != nil {
		return err
	}
	return await(ctx, confirms)
}

func (w *wagslaneSystem) send(ctx context.Context, payload []byte) (rabbitmq.PublisherConfirmation, error) {
	return w.pub.PublishWithDeferredConfirmWithContext(ctx, payload, []string{w.queue},
		rabbitmq.WithPublishOptionsMandatory, rabbitmq.WithPublishOptionsPersistentDelivery)
}

func await(ctx context.Context, confirms rabbitmq.PublisherConfirmation) error {
	for _, c := range confirms {
		ok, err := c.WaitContext(ctx)
		if err != nil {
			return err
		}
		if !ok {
			return errNotConfirmed
		}
	}
	return nil
}

func (w *wagslaneSystem) putMany(ctx context.Context, payload []byte, n int) error {
	var open []rabbitmq.PublisherConfirmation
	for range n {
		c, err := w.send(ctx, payload)
		if err != nil {
			return err
		}
		open = append(open, c)
	}
	for _, c := range open {
		if err := await(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (w *wagslaneSystem) consume(handle func([]byte)) (func(), error) {
	c, err := w.consumer()
	if err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Run(func(d rabbitmq.Delivery) rabbitmq.Action { // a failure shows as a message that is missing
			handle(d.Body)
			return rabbitmq.Ack
		})
	}()
	return func() { c.Close(); <-ended }, nil
}

func (w *wagslaneSystem) close() {
	w.pub.Close()
	_ = w.conn.Close()
}

type watermillRabbit struct {
	filler system // its own way takes a confirmation's time for each message
	config wamqp.Config
	pub    *wamqp.Publisher
	queue  string
}

func openWatermillRabbit(url, queue string) (system, error) {
	filler, err := openRaw(url, queue, rabbitWindow, rabbitPrefetch) // which declares the queue
	if err != nil {
		return nil, err
	}
	config := wamqp.NewDurableQueueConfig(url)
	config.Queue.Arguments = quorum()
	config.Consume.Qos.PrefetchCount = rabbitPrefetch
	config.Publish.ConfirmDelivery = true
	config.Publish.Mandatory = true
	config.Publish.ChannelPoolSize = workers
	pub, err := wamqp.NewPublisher(config, watermill.NopLogger{})
	if err != nil {
		filler.close()
		return nil, errors.New("watermill-amqp does not connect")
	}
	return &watermillRabbit{filler, config, pub, queue}, nil
}

func (w *watermillRabbit) put(_ context.Context, payload []byte) error {
	return w.pub.Publish(w.queue, message.NewMessage(watermill.NewUUID(), payload))
}

func (w *watermillRabbit) putMany(_ context.Context, payload []byte, n int) error {
	list := make([]*message.Message, n)
	for i := range list {
		list[i] = message.NewMessage(watermill.NewUUID(), payload)
	}
	return w.pub.Publish(w.queue, list...)
}

func (w *watermillRabbit) consume(handle func([]byte)) (func(), error) {
	sub, err := wamqp.NewSubscriber(w.config, watermill.NopLogger{})
	if err != nil {
		return nil, err
	}
	for range workers { // each subscription gives one message at a time
		messages, err := sub.Subscribe(context.Background(), w.queue)
		if err != nil {
			return nil, errors.Join(err, sub.Close())
		}
		go func() {
			for m := range messages {
				handle(m.Payload)
				m.Ack()
			}
		}()
	}
	return func() { _ = sub.Close() }, nil
}

// fill stores n messages, unmeasured.
func (w *watermillRabbit) fill(ctx context.Context, payload []byte, n int) error {
	return w.filler.putMany(ctx, payload, n)
}

func (w *watermillRabbit) close() {
	_ = w.pub.Close()
	w.filler.close()
}
