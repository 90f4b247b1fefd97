package queue

import (
	"context"
	"strconv"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/redis/go-redis/v9"
)

type watermillSystem struct {
	rdb redis.UniversalClient
	pub *redisstream.Publisher
}

func openWatermill(ctx context.Context, rdb *redis.Client) (system, error) {
	pub, err := redisstream.NewPublisher(redisstream.PublisherConfig{Client: shared{rdb}}, watermill.NopLogger{})
	if err != nil {
		return nil, err
	}
	return &watermillSystem{rdb: rdb, pub: pub}, nil
}

// shared is a client that watermill cannot close.
type shared struct{ *redis.Client }

func (shared) Close() error { return nil }

func (w *watermillSystem) put(_ context.Context, payload []byte) error {
	return w.pub.Publish("bench", message.NewMessage(watermill.NewUUID(), payload))
}

func (w *watermillSystem) putMany(_ context.Context, payload []byte, n int) error {
	list := make([]*message.Message, n)
	for i := range list {
		list[i] = message.NewMessage(watermill.NewUUID(), payload)
	}
	return w.pub.Publish("bench", list...)
}

func (w *watermillSystem) consume(handle func([]byte)) (func(), error) {
	ctx, cancel := context.WithCancel(context.Background())
	var subs []*redisstream.Subscriber
	stop := func() {
		cancel()
		for _, s := range subs {
			_ = s.Close() // always nil
		}
	}
	for i := range workers {
		sub, err := redisstream.NewSubscriber(redisstream.SubscriberConfig{
			Client: shared{w.rdb.(*redis.Client)}, ConsumerGroup: "bench", Consumer: strconv.Itoa(i), OldestId: "0",
		}, watermill.NopLogger{})
		if err != nil {
			stop()
			return nil, err
		}
		subs = append(subs, sub)
		messages, err := sub.Subscribe(ctx, "bench")
		if err != nil {
			stop()
			return nil, err
		}
		go func() {
			for m := range messages {
				handle(m.Payload)
				m.Ack()
			}
		}()
	}
	return stop, nil
}

func (w *watermillSystem) close() {}
