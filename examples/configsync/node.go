package main

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/pubsub"
)

// node is one process of the cluster: it holds the configuration until the value
// "stop" is set.
func node(ctx context.Context, name, url string) error {
	opt, err := redis.ParseURL(url)
	if err != nil {
		return fmt.Errorf("-redis is not the URL of a Redis")
	}
	opt.ContextTimeoutEnabled = true
	client := redis.NewClient(opt)
	defer client.Close()

	ps, err := open(client, pubsub.Options{Name: name, Hooks: &pubsub.Hooks{
		Gap: func(_ string, g pubsub.Gap) {
			fmt.Printf("missed %d signals (%v): loading again\n", g.Missed, g.Reason)
		},
		Stale: func(error) { fmt.Println("cut off") },
	}})
	if err != nil {
		return err
	}
	defer closeIn(time.Second, ps.Close)

	stopped, stop := context.WithCancel(ctx)
	defer stop()
	s := spec(client)
	s.OnChange = func(c Config) {
		fmt.Printf("has %d values, color is %q\n", len(c), c["color"])
		if c["stop"] != "" {
			stop()
		}
	}
	config, err := pubsub.Replicate(ctx, ps, channel, s)
	if err != nil {
		return err
	}
	defer closeIn(time.Second, config.Close)
	<-stopped.Done()
	return config.Err()
}

func closeIn(d time.Duration, closing func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := closing(ctx); err != nil {
		fmt.Println("close:", err)
	}
}
