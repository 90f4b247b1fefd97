package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cohort-go/cohort/internal/redisurl"
	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

// nodeCommand is the first argument of a process that is a node.
const nodeCommand = "node"

// runNode is the main function of a node: it leases a worker number, makes IDs with
// it, and runs all parts.
func runNode(ctx context.Context, args []string, out io.Writer) (err error) {
	n, layout, err := parseNode(args, out)
	if err != nil {
		return err
	}
	target, err := redisurl.Parse(os.Getenv(redisVariable))
	if err != nil {
		return err
	}
	n.Redis = target.NewClient()
	defer func() { err = errors.Join(err, n.Redis.Close()) }()

	numbers, err := workeridredis.New(n.Redis, workeridredis.Options{
		Namespace: n.Namespace,
		Options:   workerid.Options{Fresh: true}, // the namespace was drawn for this show
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, numbers.Close(context.WithoutCancel(ctx))) }()
	lease, err := numbers.Acquire(ctx, workerid.Request{Holder: n.Name})
	if err != nil {
		return err
	}
	n.Worker = lease
	n.tell(event{Holds: new(lease.ID())})

	n.IDs, err = snowflake.New(lease, snowflake.Options{Layout: layout})
	if err != nil {
		return err
	}
	defer n.IDs.Close()
	return n.run(ctx)
}

func parseNode(args []string, out io.Writer) (*Node, snowflake.Layout, error) {
	n := &Node{tell: teller(out), Finish: inputEnds(os.Stdin)}
	flags := flag.NewFlagSet(nodeCommand, flag.ContinueOnError)
	flags.StringVar(&n.Name, "name", "", "")
	flags.IntVar(&n.Life, "life", 0, "")
	flags.IntVar(&n.Nodes, "nodes", 0, "")
	flags.IntVar(&n.Share, "share", 0, "")
	flags.StringVar(&n.Dir, "dir", "", "")
	flags.StringVar(&n.Namespace, "namespace", "", "")
	layout := flags.String("layout", "", "")
	if err := flags.Parse(args); err != nil {
		return nil, snowflake.Layout{}, err
	}
	return n, layouts()[*layout], nil
}

// run runs all parts at once. The first that fails ends the others.
func (n *Node) run(ctx context.Context) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var wg sync.WaitGroup
	for _, part := range parts() {
		own := *n
		own.part = part.Name
		wg.Go(func() {
			if err := part.Node(ctx, &own); err != nil {
				fail(fmt.Errorf("%s: %w", part.Name, err))
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// layouts are what -layout can choose.
func layouts() map[string]snowflake.Layout {
	return map[string]snowflake.Layout{"compat53": snowflake.Compat53(), "wide63": snowflake.Wide63()}
}
