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
//	lease NUMBER GENERATION START
//	renewed MARK
//	ids ID...
//	lost, released, failed ERROR
//	past ID, for one beyond the mark
//
// and takes commands from its input: "next N", "offset DURATION", "release".
type node struct {
	offset    atomic.Int64 // of the wall clock
	allocator workerid.Allocator
	layout    snowflake.Layout
	late      time.Duration // see the flag burn
	fresh     atomic.Int64  // when the last renewal succeeded, Unix nanoseconds
	lease     atomic.Pointer[workerid.Lease]
	generator atomic.Pointer[snowflake.Generator]
}

func runNode(args []string) {
	flags := flag.NewFlagSet("node", flag.ExitOnError)
	addr := flags.String("addr", "", "host and port of Redis")
	count := flags.Int("count", 1, "numbers")
	offset := flags.Duration("offset", 0, "how far the wall clock is ahead")
	seconds := flags.Bool("seconds", false, "make Compat53 IDs instead of fine ones")
	hold := flags.Bool("hold", false, "wait for a first line of input before anything is leased")
	markless := flags.Bool("markless", false, "begin at the wall, whatever was promised to earlier holders")
	patient := flags.Bool("patient", false, "wait for replies, however late they are")
	burn := flags.Duration("burn", 0, "use up the window that a renewal later than this allows")
	ahead := flags.Duration("ahead", 0, "how far IDs may be ahead of the clock, if not as usual")
	fresh := flags.Bool("fresh", false, "nobody has leased these numbers before")
	pause := flags.Duration("pause", 2*time.Millisecond, "between the IDs of a stream")
	stream := flags.Bool("stream", false, "make IDs all the time, and lease anew when a number is lost")
	_ = flags.Parse(args)

	n := &node{layout: fineLayout()}
	opts := fineOptions(*count)
	if *seconds {
		n.layout, opts = snowflake.Compat53(), workerid.Options{Count: *count}
	}
	opts.Fresh = *seconds || *fresh
	if *ahead > 0 {
		opts.MaxAhead = *ahead
	}
	n.late = *burn
	opts.Hooks.Renewed = n.renewed
	n.offset.Store(int64(*offset))
	client := redis.NewClient(&redis.Options{Addr: *addr, ContextTimeoutEnabled: !*patient, ReadTimeout: time.Minute})
	backend, err := workeridredis.NewBackend(client, workeridredis.Options{})
	if err == nil {
		n.allocator, err = workerid.NewWithWall(&forgetful{Backend: backend, markless: *markless}, opts, n.wall)
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
		go n.stream(*pause)
	}
	n.obey(in)
}

// forgetful is a backend that can do without the marks of earlier holders.
type forgetful struct {
	workerid.Backend

	markless bool
	start    atomic.Int64 // where the number that is held really begins
}

func (f *forgetful) Acquire(ctx context.Context, r workerid.AcquireRequest) (workerid.Grant, error) {
	g, err := f.Backend.Acquire(ctx, r)
	if err == nil && f.markless {
		f.start.Store(g.Start)
		g.Start = r.Wall
	}
	return g, err
}

func (f *forgetful) Renew(ctx context.Context, r workerid.RenewRequest) (workerid.Grant, error) {
	if f.markless {
		r.Start = f.start.Load()
	}
	return f.Backend.Renew(ctx, r)
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
		n.lease.Store(lease)
		fmt.Println("lease", lease.ID(), lease.Generation(), lease.Window().Start)
		if g := n.generator.Load(); g != nil {
			err = g.Rebind(lease)
		} else {
			g, err = snowflake.New(lease, snowflake.Options{Layout: n.layout, MaxAhead: lease.MaxAhead(), AwaitRebind: true})
			n.generator.Store(g)
		}
		if err == nil {
			return true
		}
		fmt.Println("failed", err)
	}
}

// renewed tells of a renewal, and makes all IDs that a late one allows before the
// next one can fail.
func (n *node) renewed(_ int, err error) {
	if err != nil {
		return
	}
	before := n.fresh.Swap(time.Now().UnixNano())
	late := n.late > 0 && before > 0 && time.Since(time.Unix(0, before)) > n.late
	if !late {
		return
	}
	fmt.Println("renewed", n.lease.Load().Window().Mark)
	line := []byte("ids")
	row := make([]snowflake.ID, 4096)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		err := n.generator.Load().Fill(ctx, row)
		cancel()
		if err != nil {
			break
		}
		for _, id := range row { // a few of each tick will do
			if parts, err := n.layout.Decompose(id); err != nil || parts.Sequence < 4 {
				line = strconv.AppendInt(append(line, ' '), int64(id), 10)
			}
		}
	}
	fmt.Println(string(line))
}

// stream makes a few IDs every few milliseconds.
func (n *node) stream(pause time.Duration) {
	for {
		if n.lease.Load().Context().Err() != nil {
			fmt.Println("lost", context.Cause(n.lease.Load().Context()))
			if !n.acquire() {
				return
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		n.make(ctx, 5)
		cancel()
		time.Sleep(pause)
	}
}

// make makes IDs and prints them, with those that the lease does not allow.
func (n *node) make(ctx context.Context, count int) {
	line := []byte("ids")
	for range count {
		id, err := n.generator.Load().Next(ctx)
		if err != nil {
			if !errors.Is(err, workerid.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
				fmt.Println("failed", err)
			}
			break
		}
		line = strconv.AppendInt(append(line, ' '), int64(id), 10)
		parts, err := n.layout.Decompose(id)
		if end := parts.Time.Add(n.layout.Tick).UnixMilli(); err != nil || end > n.lease.Load().Window().Mark {
			fmt.Println("past", id, end, n.lease.Load().Window().Mark, err)
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
			if err := n.lease.Load().Release(ctx); err != nil {
				fmt.Println("failed", err)
			}
			fmt.Println("released")
		}
	}
}
