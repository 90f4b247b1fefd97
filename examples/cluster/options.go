package main

import (
	"errors"
	"flag"
	"fmt"
	"runtime"
	"strconv"
)

// maxNodes leaves one of the 32 worker numbers to the node that is killed and comes
// back while its old number is still leased.
const maxNodes = 31

type options struct {
	nodes, ids int
	layout     string
	json       bool
}

func parseOptions(args []string, getenv func(string) string) (o options, err error) {
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.IntVar(&o.nodes, "nodes", declared(getenv(clusterVariable)), "processes to start")
	flags.IntVar(&o.ids, "ids", 1_000_000, "IDs to make, by all nodes together")
	flags.StringVar(&o.layout, "layout", "compat53", "layout of the IDs: compat53 or wide63")
	flags.BoolVar(&o.json, "json", false, "write the summary as JSON, and nothing else")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var errs []error
	if o.nodes < 1 || o.nodes > maxNodes {
		errs = append(errs, fmt.Errorf("-nodes is %d, want 1 to %d", o.nodes, maxNodes))
	}
	if o.ids < o.nodes {
		errs = append(errs, fmt.Errorf("-ids is %d, want at least one for each of %d nodes", o.ids, o.nodes))
	}
	if _, ok := layouts()[o.layout]; !ok {
		errs = append(errs, fmt.Errorf("-layout is %q, want compat53 or wide63", o.layout))
	}
	if flags.NArg() > 0 {
		errs = append(errs, fmt.Errorf("unknown argument %q", flags.Arg(0)))
	}
	return o, errors.Join(errs...)
}

// declared is how many nodes CLUSTER_MODE asks for: that many, or one for each CPU.
// What cannot be read is reported with all other variables.
func declared(mode string) int {
	if mode == "max" {
		return min(runtime.NumCPU(), maxNodes)
	}
	if n, err := strconv.Atoi(mode); err == nil {
		return n
	}
	return 4
}
