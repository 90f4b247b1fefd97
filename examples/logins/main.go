// Logins stops the guessing of passwords: after three wrong ones an account is
// closed until the time that the first one began is over, on every node.
//
//	go run ./examples/logins
//	go run ./examples/logins -redis redis://localhost:6379
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
)

func main() {
	url := flag.String("redis", "", "URL of a Redis (default: in this process)")
	flag.Parse()
	if err := run(context.Background(), *url); err != nil {
		fmt.Fprintln(os.Stderr, "logins:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url string) error {
	attempts, err := open(url)
	if err != nil {
		return err
	}
	g := guard{attempts: attempts, limit: 3, window: time.Second}
	for _, password := range []string{"1234", "password", "letmein", "correct"} {
		if err := g.login(ctx, "ada", password); err != nil {
			fmt.Printf("%-9s %v\n", password, err)
		}
	}
	time.Sleep(g.window)
	if err := g.login(ctx, "ada", "correct"); err != nil {
		return err
	}
	fmt.Println("correct   welcome, a second later")
	return nil
}

func open(url string) (cache.Counter, error) {
	if url == "" {
		return cache.NewMemoryCounter(), nil
	}
	o, err := redis.ParseURL(url)
	if err != nil {
		return nil, errors.New("not a Redis URL") // err may repeat the password
	}
	return cacheredis.NewCounter(redis.NewClient(o), cacheredis.StructureOptions{Namespace: "logins-example"})
}

// guard counts wrong passwords. The time begins with the first one and does not
// start again with each: waiting always helps.
type guard struct {
	attempts cache.Counter
	limit    int64
	window   time.Duration
}

var errWrong = errors.New("wrong password")

func (g *guard) login(ctx context.Context, account, password string) error {
	tried, err := g.attempts.Add(ctx, account, 1, g.window)
	if err != nil {
		return err
	}
	if tried.Value > g.limit {
		return fmt.Errorf("closed for another %v", tried.Expires.Round(time.Second))
	}
	if password != "correct" {
		return errWrong
	}
	_, err = g.attempts.Reset(ctx, account)
	return err
}
