package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cohort-go/cohort/cache"
)

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

// guess tries passwords, finds the account closed, and waits.
func guess(ctx context.Context, g guard, out io.Writer) error {
	for _, password := range []string{"1234", "qwerty", "letmein", "correct"} {
		if err := g.login(ctx, "ada", password); err != nil {
			fmt.Fprintf(out, "%-10s %v\n", password, err)
		}
	}
	time.Sleep(g.window)
	if err := g.login(ctx, "ada", "correct"); err != nil {
		return err
	}
	fmt.Fprintln(out, "correct    welcome, a second later")
	return nil
}
