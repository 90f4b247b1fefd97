package workerid_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// fineLayout has short ticks, so that handing a number over takes little time.
func fineLayout() snowflake.Layout {
	return snowflake.Layout{
		Epoch: snowflake.Compat53().Epoch, Tick: 10 * time.Millisecond,
		TimeBits: 41, WorkerBits: 6, SequenceBits: 12,
	}
}

// fineOptions leave a gap of half a second after a loss of data.
func fineOptions(count int) workerid.Options {
	return workerid.Options{
		Count: count, TTL: 600 * time.Millisecond, Renew: 150 * time.Millisecond, Horizon: 400 * time.Millisecond,
		Skew: 50 * time.Millisecond, MaxTick: 10 * time.Millisecond, MaxAhead: 20 * time.Millisecond,
	}
}

// node is a process of a cluster. It prints a line for whatever happens:
//
//	lease NUMBER GENERATION
//	ids ID...
//	lost, released, failed ERROR
//	past ID, for one beyond the mark
//
// and takes commands from its input: "next N", "offset DURATION", "release".
type node struct {
	offset    atomic.Int64 // of the wall clock
	allocator workerid.Allocator
	layout    snowflake.Layout
	lease     *workerid.Lease
	generator *snowflake.Generator
}

func runNode(args []string) {
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	addr := flags.String("addr", "", "host and port of Redis")
	count := flags.Int("count", 1, "numbers")
	offset := flags.Duration("offset", 0, "how far the wall clock is ahead")
	seconds := flags.Bool("seconds", false, "make Compat53 IDs instead of fine ones")
	hold := flags.Bool("hold", false, "wait for a first line of input before anything is leased")
	markless := flags.Bool("markless", false, "begin at the wall, whatever was promised to earlier holders")
	stream := flags.Bool("stream", false, "make IDs all the time, and lease anew when a number is lost")
	_ = flags.Parse(args)

	n := &node{layout: fineLayout()}
	opts := fineOptions(*count)
	if *seconds {
		n.layout, opts = snowflake.Compat53(), workerid.Options{Count: *count}
	}
	opts.Fresh = *seconds
	n.offset.Store(int64(*offset))
	client := redis.NewClient(&redis.Options{Addr: *addr, ContextTimeoutEnabled: true})
	backend, err := workeridredis.NewBackend(client, workeridredis.Options{})
	if err == nil {
		n.allocator, err = workerid.NewWithWall(forgetful{backend, *markless}, opts, n.wall)
	}
	if err != nil {
		fmt.Println("failed", err)
		return
	}
	in := bufio.NewScanner(os.Stdin)
	if *hold {
		fmt.Println("ready")
		in.Scan()
	}
	if !n.acquire() {
		return
	}
	if *stream {
		go n.stream()
	}
	n.obey(in)
}

// forgetful is a backend that can do without the marks of earlier holders.
type forgetful struct {
	workerid.Backend

	markless bool
}

func (f forgetful) Acquire(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	g, err := f.Backend.Acquire(ctx, r)
	if f.markless {
		g.Start = r.Wall
	}
	return g, err
}

func (n *node) wall() time.Time { return time.Now().Add(time.Duration(n.offset.Load())) }

// acquire leases a number and has the generator use it.
func (n *node) acquire() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		lease, err := n.allocator.Acquire(ctx, workerid.Request{Wait: true})
		if err != nil {
			fmt.Println("failed", err)
			if ctx.Err() != nil {
				return false
			}
			continue
		}
		n.lease = lease
		fmt.Println("lease", lease.ID(), lease.Generation())
		if n.generator == nil {
			n.generator, err = snowflake.New(lease, snowflake.Options{Layout: n.layout, MaxAhead: lease.MaxAhead(), AwaitRebind: true})
		} else {
			err = n.generator.Rebind(lease)
		}
		if err == nil {
			return true
		}
		fmt.Println("failed", err)
	}
}

// stream makes a few IDs every few milliseconds.
func (n *node) stream() {
	for {
		if n.lease.Context().Err() != nil {
			fmt.Println("lost", context.Cause(n.lease.Context()))
			if !n.acquire() {
				return
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		n.make(ctx, 5)
		cancel()
		time.Sleep(2 * time.Millisecond)
	}
}

// make makes IDs and prints them, with those that the lease does not allow.
func (n *node) make(ctx context.Context, count int) {
	line := []byte("ids")
	for range count {
		id, err := n.generator.Next(ctx)
		if err != nil {
			if !errors.Is(err, workerid.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
				fmt.Println("failed", err)
			}
			break
		}
		line = strconv.AppendInt(append(line, ' '), int64(id), 10)
		parts, err := n.layout.Decompose(id)
		if end := parts.Time.Add(n.layout.Tick).UnixMilli(); err != nil || end > n.lease.Window().Mark {
			fmt.Println("past", id, end, n.lease.Window().Mark, err)
		}
	}
	fmt.Println(string(line))
}

// obey runs commands until the input ends.
func (n *node) obey(in *bufio.Scanner) {
	ctx := context.Background()
	for in.Scan() {
		word, rest, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "next":
			count, _ := strconv.Atoi(rest)
			n.make(ctx, count)
		case "offset":
			d, _ := time.ParseDuration(rest)
			n.offset.Store(int64(d))
		case "release":
			if err := n.lease.Release(ctx); err != nil {
				fmt.Println("failed", err)
			}
			fmt.Println("released")
		}
	}
}
