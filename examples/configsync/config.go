package main

import (
	"context"
	"maps"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/pubsub/pubsubredis"
)

// Config is what every node holds in memory. The truth is a hash in Redis; it
// could as well be a database.
type Config map[string]string

// Change is the signal that one value is another now.
type Change struct{ Key, Value string }

const (
	truth   = "configsync:{main}:truth" // the tag is that of the bus, for the transaction
	channel = "config.changed"
)

// retention is small, so that the node that is cut off misses signals.
const retention = 20

func open(client redis.UniversalClient, o pubsub.Options) (*pubsubredis.PubSub, error) {
	return pubsubredis.New(client, pubsubredis.Options{Options: o, Namespace: "configsync", MaxLen: retention})
}

// spec says how a node gets the configuration and how a signal changes it.
func spec(client redis.UniversalClient) pubsub.ReplicaSpec[Config, Change] {
	return pubsub.ReplicaSpec[Config, Change]{
		Codec: pubsub.JSON[Change](),
		Load: func(ctx context.Context) (Config, error) {
			values, err := client.HGetAll(ctx, truth).Result()
			return values, err
		},
		Apply: func(c Config, change Change) (Config, error) {
			c = maps.Clone(c)
			c[change.Key] = change.Value
			return c, nil
		},
	}
}

// set changes the truth and signals it, in one transaction.
func set(ctx context.Context, client redis.UniversalClient, ps *pubsubredis.PubSub, change Change) error {
	signal, err := pubsub.NewTopic(ps, channel, pubsub.JSON[Change]()).Message(change)
	if err != nil {
		return err
	}
	tx := client.TxPipeline()
	tx.HSet(ctx, truth, change.Key, change.Value)
	if err := ps.AppendTo(ctx, tx, signal); err != nil {
		return err
	}
	_, err = tx.Exec(ctx)
	return err
}
