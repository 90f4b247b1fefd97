// Inspect shows what a cluster is doing, on the command line or as a page, and
// changes queues where it is allowed to.
//
//	inspect queues|dead|locks|workers|streams|cache [-json]
//	inspect -write redrive QUEUE [-id ID]
//	inspect -write purge QUEUE -state dead
//	inspect -write pause QUEUE [-for 10m]
//	inspect -write resume QUEUE
//	inspect -write lag
//	inspect -http localhost:8090 [-write]
//
// It reads the variables that the nodes read, takes no worker number, and asks the
// areas' own Inspectors only. What a node keeps in memory nobody else can see.
//
// The page has no users and no passwords: leave it on localhost, or put what checks
// them in front of it and name its host by -host.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/queue"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	redis.SetLogger(quiet{})
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "inspect:", err)
		os.Exit(1)
	}
}

// quiet drops what the client of Redis says of its connections: the errors that
// matter come back.
type quiet struct{}

// Printf implements the client's logger.
func (quiet) Printf(context.Context, string, ...any) {}

// options are the flags.
type options struct {
	json, write bool
	http        string
	hosts       string
	queues      string
	limit       int
	id          string
	state       string
	pause       time.Duration
}

// parse takes flags before, between and behind the words.
func parse(args []string) (o options, words []string, err error) {
	flags := flag.NewFlagSet("inspect", flag.ContinueOnError)
	flags.BoolVar(&o.json, "json", false, "write JSON")
	flags.BoolVar(&o.write, "write", false, "allow redrive, purge, pause, resume and lag")
	flags.StringVar(&o.http, "http", "", "serve the page at this address, such as localhost:8090")
	flags.StringVar(&o.hosts, "host", "", "names of hosts under which the page is asked for, besides localhost and addresses")
	flags.StringVar(&o.queues, "queues", "", "names of queues, where the backend cannot list them")
	flags.IntVar(&o.limit, "limit", 50, "how many dead letters of a queue, and locks, to show")
	flags.StringVar(&o.id, "id", "", "redrive: only the message of this ID")
	flags.StringVar(&o.state, "state", "", "purge: ready, delayed, dead or finished")
	flags.DurationVar(&o.pause, "for", 0, "pause: for how long; 0 until resume")
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return o, nil, err
		}
		if args = flags.Args(); len(args) > 0 {
			words, args = append(words, args[0]), args[1:]
		}
	}
	if o.limit < 1 || o.limit > queue.MaxBatch {
		return o, nil, fmt.Errorf("-limit is %d, want 1 to %d", o.limit, queue.MaxBatch)
	}
	return o, words, nil
}

var errUsage = errors.New("want one of queues, dead, locks, workers, streams, cache, redrive, purge, pause, resume, lag, or -http")

func run(ctx context.Context, args []string, getenv func(string) string, out io.Writer) error {
	o, words, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.http == "" && len(words) == 0 {
		return errUsage
	}
	src, err := open(ctx, getenv, o)
	if err != nil {
		return err
	}
	defer src.close()
	switch {
	case o.http != "":
		return serve(ctx, src, o)
	case len(words) == 1 && words[0] == "lag":
		return act(ctx, src, o, "lag", "", out)
	case len(words) == 2:
		return act(ctx, src, o, words[0], words[1], out)
	case len(words) > 2:
		return fmt.Errorf("too many words: %s", strings.Join(words, " "))
	}
	look, known := looks()[words[0]]
	if !known {
		return fmt.Errorf("%q: %w", words[0], errUsage)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	v, err := look(ctx, src)
	if err != nil {
		return err
	}
	return v.write(out, o.json)
}

// looks are the words that only read.
func looks() map[string]func(ctx context.Context, src *source) (view, error) {
	return map[string]func(ctx context.Context, src *source) (view, error){
		"queues":  func(ctx context.Context, src *source) (view, error) { return src.queues(ctx) },
		"dead":    func(ctx context.Context, src *source) (view, error) { return src.dead(ctx) },
		"locks":   func(ctx context.Context, src *source) (view, error) { return src.locks(ctx) },
		"workers": func(ctx context.Context, src *source) (view, error) { return src.workers(ctx) },
		"streams": func(ctx context.Context, src *source) (view, error) { return src.streams(ctx) },
		"cache":   func(ctx context.Context, src *source) (view, error) { return src.cache(ctx) },
	}
}
