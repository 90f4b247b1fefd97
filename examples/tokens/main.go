// Tokens refuses revoked tokens by a Bloom filter that all nodes share. Most
// requests are answered by the filter alone; only what it may know is looked up.
//
//	go run ./examples/tokens
//	go run ./examples/tokens -redis redis://localhost:6379
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
)

func main() {
	url := flag.String("redis", "", "URL of a Redis (default: in this process)")
	flag.Parse()
	if err := run(context.Background(), *url); err != nil {
		fmt.Fprintln(os.Stderr, "tokens:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	filter, err := open(url)
	if err != nil {
		return err
	}
	b := blacklist{filter: filter, revoked: map[string]bool{"stolen": true, "logged-out": true}}

	// A filter that was lost is no empty filter: the check says so instead of
	// letting revoked tokens pass.
	if _, err := filter.Exists(ctx, name, "stolen"); errors.Is(err, cache.ErrNotReserved) {
		fmt.Println("no filter yet: it is built from the list of revoked tokens")
	}
	for _, token := range []string{"stolen", "valid", "logged-out"} {
		ok, err := b.accepts(ctx, token)
		if err != nil {
			return err
		}
		fmt.Printf("%-10s accepted: %v\n", token, ok)
	}
	return nil
}

func open(url string) (cache.Bloom, error) {
	if url == "" {
		return cache.NewMemoryBloom(), nil
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("not a Redis URL") // err may repeat the password
	}
	return cacheredis.NewBloom(redis.NewClient(o), cacheredis.StructureOptions{Namespace: "tokens-example"})
}

const name = "revoked"

// blacklist knows which tokens were revoked; revoked stands for a table.
type blacklist struct {
	filter  cache.Bloom
	revoked map[string]bool
}

func (b *blacklist) accepts(ctx context.Context, token string) (bool, error) {
	maybe, err := b.filter.Exists(ctx, name, token)
	if errors.Is(err, cache.ErrNotReserved) {
		if err := b.build(ctx); err != nil {
			return false, err
		}
		maybe, err = b.filter.Exists(ctx, name, token)
	}
	if err != nil {
		return false, err
	}
	return !maybe[0] || !b.revoked[token], nil
}

func (b *blacklist) build(ctx context.Context) error {
	if err := b.filter.Reserve(ctx, name, 100_000, 0.001); err != nil {
		return err
	}
	for token := range b.revoked {
		if _, err := b.filter.Add(ctx, name, token); err != nil {
			return err
		}
	}
	return nil
}
