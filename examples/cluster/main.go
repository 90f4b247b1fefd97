// Cluster is the show of the whole project: several processes of itself that
// coordinate through what the environment names.
//
//	go run ./examples/cluster                 # 4 nodes, nothing to install
//	go run ./examples/cluster -nodes 8 -ids 4000000
//	REDIS_URL=redis://localhost:6379 go run ./examples/cluster
//	REDIS_URL=redis-cluster://localhost:7000 CLUSTER_MODE=8 go run ./examples/cluster
//	QUEUE_ADAPTER=rabbitmq go run ./examples/cluster
//
// The variables are those of package cohort. Without REDIS_URL a small Redis runs
// inside the parent process; an area whose variable is not set is shared there. In
// the middle of the show one node is frozen while it holds the lock, another is
// killed hard and started again. At the end every part says whether it kept its
// promise; if one did not, the program fails.
//
// # Reading and extending it
//
// The parent is the show (show.go): it starts the nodes, kills one, and lets each
// part judge what the nodes reported. A node (node.go) is a cohort.Node, and runs
// all parts at once. A part (part.go) is one area of the project;
// part_ids.go is a complete one. To add another, write part_NAME.go with a function
// that returns a Part, and list it in parts.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run, args := runShow, os.Args[1:]
	if len(args) > 0 && args[0] == nodeCommand {
		run, args = runNode, args[1:]
	}
	err := run(ctx, args, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}
