package cacheredis_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/internal/testenv"
)

// herd is how many callers each process has.
const herd = 200

// loadsKey counts the loads of all processes.
const loadsKey = "loads"

// herdNode is one process of a stampede. It does what the lines of its input say.
func herdNode(args []string) {
	client := redis.NewClient(&redis.Options{Addr: args[0], ContextTimeoutEnabled: true})
	defer client.Close()
	store := orExit(cacheredis.New(client, cacheredis.Options{}))
	defer store.Close(context.Background())
	c := orExit(cache.New(store, cache.Options{Prefix: "herd"}))
	defer c.Close(context.Background())
	words := orExit(cache.Of(c, cache.JSON[string](), cache.Policy{TTL: time.Hour, HardTimeout: time.Second}))
	if err := store.Ready(context.Background()); err != nil {
		orExit(0, err)
	}
	fmt.Println("ready")

	release := make(chan struct{})
	load := func(ctx context.Context, _ string) (string, error) {
		n := client.Incr(ctx, loadsKey).Val()
		fmt.Println("loading")
		select {
		case <-release:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
		if n == 1 && args[1] == "panic" {
			panic("source")
		}
		return "v", nil
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	tally := make(map[string]int)
	call := func(ctx context.Context) {
		all.Go(func() {
			v, err := words.GetOrLoad(ctx, "k", load)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, cache.ErrLoaderPanic):
				v = "panic"
			case errors.Is(err, context.Canceled):
				v = "canceled"
			case err != nil:
				v = err.Error()
			}
			tally[v]++
		})
	}
	first, leave := context.WithCancel(context.Background())
	defer leave()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		switch lines.Text() {
		case "first":
			call(first)
		case "leave":
			leave()
		case "call":
			for range herd {
				call(context.Background())
			}
			fmt.Println("called")
		case "release":
			close(release)
		case "end":
			all.Wait()
			fmt.Println(tally)
			return
		}
	}
}

func orExit[T any](v T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return v
}

// processes are the nodes of a stampede.
type processes struct {
	t      *testing.T
	client *redis.Client
	nodes  []*testenv.ChildProcess
}

func startHerd(t *testing.T, kind string) *processes {
	srv := testenv.Redis(t)
	p := &processes{t: t, client: srv.Client(t)}
	for range 3 {
		p.nodes = append(p.nodes, testenv.Child(t, "herd", srv.Addr(), kind))
	}
	for i := range p.nodes {
		p.want(i, "ready")
	}
	return p
}

func (p *processes) want(i int, line string) {
	p.t.Helper()
	if got := p.nodes[i].Line(p.t); got != line {
		p.t.Fatalf("process %d says %q, want %q", i, got, line)
	}
}

func (p *processes) send(line string, to ...int) {
	p.t.Helper()
	for _, i := range to {
		if err := p.nodes[i].Send(line); err != nil {
			p.t.Fatal(err)
		}
	}
}

// called waits until process i has started its callers; loads may begin meanwhile.
func (p *processes) called(i int) {
	p.t.Helper()
	for p.nodes[i].Line(p.t) != "called" {
	}
}

// tally waits for all callers of process i and returns what they got.
func (p *processes) tally(i int) string {
	p.t.Helper()
	p.send("end", i)
	for {
		if line := p.nodes[i].Line(p.t); line != "loading" {
			return line
		}
	}
}

func (p *processes) end(i int, want map[string]int) {
	p.t.Helper()
	if got := p.tally(i); got != fmt.Sprint(want) {
		p.t.Errorf("the callers of process %d got %s, want %v", i, got, want)
	}
}

func (p *processes) loads(want int) {
	p.t.Helper()
	if got := p.client.Get(p.t.Context(), loadsKey).Val(); got != strconv.Itoa(want) {
		p.t.Errorf("%s loads, want %d", got, want)
	}
}

// hold lets one caller of process 0 take the lease, and then all callers of all
// processes ask.
func (p *processes) hold() {
	p.t.Helper()
	p.send("first", 0)
	p.want(0, "loading")
	p.send("call", 0, 1, 2)
	for i := range p.nodes {
		p.called(i)
	}
}

// TestStampede: three processes with 200 callers each ask for what nobody has. There
// is one load, whatever becomes of who began it.
func TestStampede(t *testing.T) {
	all := map[string]int{"v": herd}
	t.Run("Plain", func(t *testing.T) {
		p := startHerd(t, "")
		p.send("call", 0, 1, 2)
		p.send("release", 0, 1, 2)
		for i := range p.nodes {
			p.called(i)
			p.end(i, all)
		}
		p.loads(1)
	})
	t.Run("FirstCallerLeaves", func(t *testing.T) {
		p := startHerd(t, "")
		p.hold()
		p.send("leave", 0)
		p.send("release", 0, 1, 2)
		p.end(0, map[string]int{"canceled": 1, "v": herd})
		p.end(1, all)
		p.end(2, all)
		p.loads(1)
	})
	t.Run("HolderIsKilled", func(t *testing.T) {
		p := startHerd(t, "")
		p.hold()
		p.nodes[0].Kill()
		p.send("release", 1, 2)
		p.end(1, all)
		p.end(2, all)
		p.loads(2)
	})
	t.Run("LoaderPanics", func(t *testing.T) {
		p := startHerd(t, "panic")
		p.hold()
		p.send("release", 0, 1, 2)
		var panics, values int
		_, _ = fmt.Sscanf(p.tally(0), "map[panic:%d v:%d]", &panics, &values)
		if panics < 1 || panics+values != herd+1 { // one that asked after the panic waits for the next load
			t.Errorf("%d callers got the panic, %d the value", panics, values)
		}
		p.end(1, all)
		p.end(2, all)
		p.loads(2)
	})
}
