package pubsub

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

const channel = "bench.signal"

func openCohort(ctx context.Context, url string, nodes int, heard func(int, []byte)) (net *network, err error) {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	net = &network{}
	var all []pubsub.PubSub
	net.close = func() {
		limit, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		for _, ps := range all {
			_ = ps.Close(limit)
		}
		_ = client.Close()
	}
	for i := range nodes + 1 { // one more that only publishes
		ps, err := pubsubredis.New(client, pubsubredis.Options{Namespace: "bench"})
		if err != nil {
			return net, err
		}
		all = append(all, ps)
		if i == nodes {
			break
		}
		_, err = ps.Subscribe(ctx, channel, func(_ context.Context, d *pubsub.Delivery) error {
			heard(i, d.Payload)
			return nil
		}, pubsub.SubscribeOptions{QueueSize: 1 << 20})
		if err != nil {
			return net, err
		}
	}
	net.publish = func(ctx context.Context, payloads [][]byte) error {
		messages := make([]pubsub.Message, len(payloads))
		for i, p := range payloads {
			messages[i] = pubsub.Message{Channel: channel, Payload: p}
		}
		_, err := all[nodes].Publish(ctx, messages...)
		return err
	}
	return net, nil
}
