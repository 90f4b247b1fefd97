// Logins guards accounts with two structures that all nodes share. A counter stops
// the guessing of passwords: after three wrong ones an account is closed until the
// time that the first one began is over. A Bloom filter refuses revoked tokens: most
// requests are answered by it alone, only what it may know is looked up.
//
//	go run ./examples/logins
//	go run ./examples/logins -redis redis://localhost:6379
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
)

func main() {
	url := flag.String("redis", "", "URL of a Redis (default: in this process)")
	flag.Parse()
	if err := run(context.Background(), *url, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "logins:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, out io.Writer) error {
	attempts, filter, err := open(url)
	if err != nil {
		return err
	}
	if err := guess(ctx, guard{attempts: attempts, limit: 3, window: time.Second}, out); err != nil {
		return err
	}
	revoked := map[string]bool{"stolen": true, "logged-out": true}
	return present(ctx, blacklist{filter: filter, revoked: revoked}, out)
}

// open returns the structures in this process or, with a URL, those of all nodes.
func open(url string) (cache.Counter, cache.Bloom, error) {
	if url == "" {
		return cache.NewMemoryCounter(), cache.NewMemoryBloom(), nil
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, nil, errors.New("not a Redis URL") // err may repeat the password
	}
	client := redis.NewClient(o)
	shared := cacheredis.StructureOptions{Namespace: "logins-example"}
	attempts, err := cacheredis.NewCounter(client, shared)
	if err != nil {
		return nil, nil, err
	}
	filter, err := cacheredis.NewBloom(client, shared)
	return attempts, filter, err
}
