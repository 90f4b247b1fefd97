package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
)

// serve is one node: it answers the questions on its input.
func serve(ctx context.Context, url string) (err error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return errors.New("not a Redis URL") // err may repeat the password
	}
	o.ContextTimeoutEnabled = true
	client := redis.NewClient(o)
	store, err := cacheredis.New(client, cacheredis.Options{Namespace: "readthrough-example"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close(ctx), client.Close()) }()
	c, err := cache.New(store, cache.Options{Prefix: "prices"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(ctx)) }()
	prices, err := cache.Of(c, cache.JSON[string](), cache.Policy{TTL: time.Minute, StaleFor: time.Hour})
	if err != nil {
		return err
	}
	if err := errors.Join(store.Ready(ctx), c.Clear(ctx)); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(answer{}); err != nil {
		return err
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		a, err := reply(ctx, prices, lines.Text())
		if err == nil {
			err = out.Encode(a)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func reply(ctx context.Context, prices *cache.Typed[string], question string) (a answer, err error) {
	began := time.Now()
	verb, value, _ := strings.Cut(question, " ")
	switch verb {
	case "get":
		a.Source = "another process's load"
		a.Value, err = prices.GetOrLoad(ctx, "bread", func(context.Context, string) (string, error) {
			a.Source = "loader"
			time.Sleep(200 * time.Millisecond) // the slow source
			return "price 1", nil
		})
	case "set":
		err = prices.Set(ctx, "bread", value)
	case "await":
		for a.Value != value && (err == nil || errors.Is(err, cache.ErrNotFound)) {
			a.Value, err = prices.Get(ctx, "bread")
		}
	}
	a.At = time.Now()
	a.Took = a.At.Sub(began)
	return a, err
}
