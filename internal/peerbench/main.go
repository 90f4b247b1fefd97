// Peerbench measures each area of Cohort against well-known libraries that do the
// same work.
//
//	go run . -area ids            # a table in Markdown
//	go run . -area ids,lock -json
//	go run . -area lock -redis redis://host:6379
//	go run . -area queue -table enqueue
//	go run . -area queue -table RabbitMQ -rabbitmq amqp://guest:guest@localhost:5672/
//
// All contenders of a table take turns in this one process (see package frame; a
// table of several nodes runs each in a process of its own), and on one Redis where they need one: the given one, or a redis-server from
// PATH or from the folder that COHORT_TEST_SERVERS names. The server's CPU time
// comes from INFO; its commands are counted in one more round under MONITOR.
//
// # Adding an area
//
// An area is a package of this module, named like the area, with one function
// Area() frame.Area; areas.go lists it. It holds one file per table, and a
// [frame.Contender] for Cohort, which comes first, and for each peer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/cohort-go/cohort/internal/peerbench/frame"
	"github.com/cohort-go/cohort/internal/peerbench/lock"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == lock.NodeCommand {
		if err := lock.Node(os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "peerbench:", err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(1) //nolint:gocritic // nothing is left to undo
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("peerbench", flag.ContinueOnError)
	names := flags.String("area", "", "areas to measure, separated by commas (default all)")
	part := flags.String("table", "", "measure only tables whose name contains this")
	rounds := flags.Int("rounds", 7, "rounds of each table")
	round := flags.Duration("round", 200*time.Millisecond, "time that a contender fills in a round")
	redisURL := flags.String("redis", "", "URL of a Redis to use (default: start one)")
	rabbitURL := flags.String("rabbitmq", "", "URL of a RabbitMQ, for the areas that compare with it")
	asJSON := flags.Bool("json", false, "write JSON instead of Markdown")
	check := flags.Bool("check", false, "fail if a demanded ratio is missed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*names, *part, *rabbitURL != "")
	if err != nil {
		return err
	}
	opts := frame.Options{Rounds: max(*rounds, 1), Round: *round, Env: frame.Env{RabbitURL: *rabbitURL}}
	var redisVersion string
	if needsRedis(chosen) {
		if opts.Server, err = frame.OpenServer(ctx, *redisURL); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, opts.Server.Close()) }()
		opts.Env.RedisURL = opts.Server.URL()
		redisVersion = opts.Server.Version(ctx)
	}

	report := frame.Report{Head: frame.NewHead(chosen, redisVersion)}
	for _, area := range chosen {
		result, err := frame.Measure(ctx, area, opts)
		if err != nil {
			return err
		}
		report.Areas = append(report.Areas, result)
	}
	write := report.Markdown
	if *asJSON {
		write = report.JSON
	}
	if err := write(os.Stdout); err != nil {
		return err
	}
	if missed := report.Missed(); *check && len(missed) > 0 {
		return errors.New(strings.Join(missed, "\n"))
	}
	return nil
}

// choose returns the areas that are called names, or all, with the tables whose
// name contains part, those that need a broker only if there is one.
func choose(names, part string, broker bool) ([]frame.Area, error) {
	all := areas()
	for i := range all {
		all[i].Tables = slices.DeleteFunc(all[i].Tables, func(t frame.Table) bool {
			return !strings.Contains(t.Name, part) || t.RabbitMQ && !broker
		})
	}
	if names == "" {
		return all, nil
	}
	var chosen []frame.Area
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(a frame.Area) bool { return a.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("no area %q", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func needsRedis(areas []frame.Area) bool {
	return slices.ContainsFunc(areas, func(a frame.Area) bool {
		return slices.ContainsFunc(a.Tables, func(t frame.Table) bool { return t.Redis })
	})
}
