package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/cohort-go/cohort/internal/redisurl"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/lockredis"
)

// candidate campaigns until its input ends, and announces its terms.
func candidate(ctx context.Context, name, url string, in io.Reader, out io.Writer) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the parent, which has the other end of in
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	target, err := redisurl.Parse(url)
	if err != nil {
		return err
	}
	client := target.NewClient()
	defer func() { err = errors.Join(err, client.Close()) }()
	locker, err := lockredis.New(client, lockredis.Options{Namespace: "leader"})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = errors.Join(err, locker.Close(closing))
	}()
	return lock.Lead(ctx, locker, "leader", lock.Request{TTL: time.Second}, func(ctx context.Context, term uint64) error {
		fmt.Fprintln(out, term, name)
		<-ctx.Done() // a leader's work; it passes term on to what it commands
		return nil
	})
}
