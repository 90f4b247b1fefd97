package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/redisurl"
	"github.com/cohort-go/cohort/snowflake"
)

// nodeCommand is the first argument of a process that is a node.
const nodeCommand = "node"

// runNode is the main function of a node: it opens everything by the variables and
// runs all parts.
func runNode(ctx context.Context, args []string, out io.Writer) (err error) {
	n, layout, err := parseNode(args, out)
	if err != nil {
		return err
	}
	n.Node, err = cohort.Open(ctx, cohort.Options{
		Layout: layout,
		Fresh:  true, // the namespace was drawn for this show
	})
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = errors.Join(err, n.Close(closing))
	}()
	target, err := redisurl.Parse(os.Getenv(redisVariable))
	if err != nil {
		return err
	}
	n.Database = target.NewClient()
	defer n.Database.Close()
	n.tell(event{Holds: new(n.Worker().ID())})
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
	flags.BoolVar(&n.Freezes, "freezes", false, "")
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
		if part.Ends {
			own.Progress(0, "") // so that nobody takes the first to tell for all
		}
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
