package pubsub

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ThreeDotsLabs/watermill"
	"github.com/ThreeDotsLabs/watermill-redisstream/pkg/redisstream"
	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/redis/go-redis/v9"
)

// openPublish is plain PUBLISH and SUBSCRIBE; more than one message at a time
// goes into a pipeline.
func openPublish(ctx context.Context, url string, nodes int, heard func(int, []byte)) (*network, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(opt)
	var subs []*redis.PubSub
	var wg sync.WaitGroup
	net := &network{close: func() {
		for _, s := range subs {
			_ = s.Close()
		}
		wg.Wait()
		_ = client.Close()
	}}
	for i := range nodes {
		sub := client.Subscribe(ctx, channel)
		subs = append(subs, sub)
		if _, err := sub.Receive(ctx); err != nil {
			return net, err
		}
		messages := sub.Channel(redis.WithChannelSize(1 << 16))
		wg.Go(func() {
			for m := range messages {
				heard(i, []byte(m.Payload))
			}
		})
	}
	net.publish = func(ctx context.Context, payloads [][]byte) error {
		if len(payloads) == 1 {
			return client.Publish(ctx, channel, payloads[0]).Err()
		}
		_, err := client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, b := range payloads {
				p.Publish(ctx, channel, b)
			}
			return nil
		})
		return err
	}
	return net, nil
}

// openWatermill has one subscriber without a consumer group per node: each gets
// every message.
func openWatermill(ctx context.Context, url string, nodes int, heard func(int, []byte)) (*network, error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	client := redis.NewClient(opt)
	ctx, cancel := context.WithCancel(ctx)
	var subs []*redisstream.Subscriber
	var wg sync.WaitGroup
	net := &network{close: func() {
		cancel()
		for _, s := range subs {
			_ = s.Close()
		}
		wg.Wait()
		_ = client.Close()
	}}
	logger := watermill.NopLogger{}
	publisher, err := redisstream.NewPublisher(redisstream.PublisherConfig{Client: client, DefaultMaxlen: 100_000}, logger)
	if err != nil {
		return net, err
	}
	for i := range nodes {
		own := *opt
		reader := redis.NewClient(&own)
		sub, err := redisstream.NewSubscriber(redisstream.SubscriberConfig{Client: reader}, logger)
		if err != nil {
			return net, errors.Join(err, reader.Close())
		}
		subs = append(subs, sub)
		messages, err := sub.Subscribe(ctx, channel)
		if err != nil {
			return net, err
		}
		wg.Go(func() {
			defer reader.Close()
			for m := range messages {
				heard(i, m.Payload)
				m.Ack()
			}
		})
	}
	time.Sleep(500 * time.Millisecond) // what is published before its first read is lost
	net.publish = func(_ context.Context, payloads [][]byte) error {
		messages := make([]*message.Message, len(payloads))
		for i, p := range payloads {
			messages[i] = message.NewMessage(watermill.NewUUID(), p)
		}
		return publisher.Publish(channel, messages...)
	}
	return net, nil
}
