package snowflake_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/idfile"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// makers is how many worker numbers there are for the processes that want one.
const makers = 4

// makerTTL is how long a number stays with a process that is gone.
const makerTTL = 600 * time.Millisecond

func makerOptions() workerid.Options {
	return workerid.Options{
		Count: makers, TTL: makerTTL, Renew: makerTTL / 4, Horizon: makerTTL * 5 / 6, Skew: 50 * time.Millisecond,
		MaxTick: time.Millisecond, MaxAhead: 50 * time.Millisecond, Fresh: true,
	}
}

// maker is a process that makes IDs with two generators on one worker number, and
// goes on with another number when that is lost. It ends with its input. Its
// arguments are the address of a Redis and the beginning of its files' names.
func maker(args []string) {
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		defer stop()
		for lines := bufio.NewScanner(os.Stdin); lines.Scan() && lines.Text() != "stop"; {
		}
	}()
	if err := makeIDs(ctx, args[0], args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func makeIDs(ctx context.Context, addr, path string) error {
	client := redis.NewClient(&redis.Options{Addr: addr, ContextTimeoutEnabled: true})
	defer client.Close()
	numbers, err := workeridredis.New(client, workeridredis.Options{Options: makerOptions()})
	if err != nil {
		return err
	}
	defer numbers.Close(context.WithoutCancel(ctx))
	lease, err := numbers.Acquire(ctx, workerid.Request{Wait: true})
	if err != nil {
		return ended(ctx, err)
	}

	generators := make([]*snowflake.Generator, 2)
	for i := range generators {
		opts := snowflake.Options{Layout: snowflake.Wide63(), AwaitRebind: true}
		if generators[i], err = snowflake.New(lease, opts); err != nil {
			return err
		}
	}
	errs := make([]error, len(generators)+1)
	var wg sync.WaitGroup
	for i, g := range generators {
		wg.Go(func() { errs[i] = ended(ctx, write(ctx, g, fmt.Sprintf("%s-%d.ids", path, i))) })
	}
	wg.Go(func() { errs[2] = ended(ctx, keepNumber(ctx, numbers, lease, generators)) })
	wg.Wait()
	return errors.Join(errs...)
}

// write makes rows of IDs and writes them to a file until ctx ends.
func write(ctx context.Context, g *snowflake.Generator, path string) error {
	file, err := idfile.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	row := make([]snowflake.ID, 512)
	for ctx.Err() == nil {
		if err := g.Fill(ctx, row); err != nil {
			return err
		}
		if err := idfile.Write(file, row); err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // the others want the processor too
	}
	return ctx.Err()
}

// keepNumber leases another number whenever one is lost.
func keepNumber(ctx context.Context, numbers workerid.Allocator, lease *workerid.Lease, generators []*snowflake.Generator) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-lease.Context().Done():
		}
		var err error
		if lease, err = numbers.Acquire(ctx, workerid.Request{Wait: true}); err != nil {
			return err
		}
		for _, g := range generators {
			if err := g.Rebind(lease); err != nil {
				return err
			}
		}
		fmt.Println("rebound")
	}
}

// ended takes an error away that is only the end of ctx.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}
