package cache

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
)

// node is one process with Cohort's cache.
type node struct {
	client *redis.Client
	store  *cacheredis.Store
	cache  *cache.Cache
	users  *cache.Typed[user]
}

func openNode(ctx context.Context, url string, entries int) (*node, error) {
	client, err := openClient(url)
	if err != nil {
		return nil, err
	}
	n := &node{client: client}
	if n.store, err = cacheredis.New(client, cacheredis.Options{}); err != nil {
		return nil, errors.Join(err, client.Close())
	}
	if n.cache, err = cache.New(n.store, cache.Options{Prefix: "users", L1: cache.L1{MaxEntries: entries}}); err == nil {
		n.users, err = cache.Of(n.cache, cache.JSON[user](), cache.Policy{TTL: time.Hour})
	}
	if err == nil {
		err = n.store.Ready(ctx)
	}
	if err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) close() {
	ctx := context.Background()
	if n.cache != nil {
		_ = n.cache.Close(ctx)
	}
	_ = n.store.Close(ctx)
	_ = n.client.Close()
}

func openClient(url string) (*redis.Client, error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, err
	}
	o.ContextTimeoutEnabled = true
	return redis.NewClient(o), nil
}
