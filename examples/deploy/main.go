// Deploy is a service for several nodes behind a load balancer, with what it
// takes to run it: a Dockerfile, compose.yaml, manifests for Kubernetes, and
// configurations for nginx and HAProxy. A node that is asked to end loses no
// request and no job.
//
//	docker compose -f examples/deploy/compose.yaml up --build
//	REDIS_URL=redis://localhost:6379 go run ./examples/deploy -http :8080
//
// It is configured by the variables of package cohort. GET / answers with the
// name of the node and a new ID, POST /jobs enqueues a job, and /livez and
// /readyz are for probes.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/cohort-go/cohort"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Getenv); err != nil {
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(1)
	}
}

// run is the program. It returns nil after an orderly end on SIGTERM.
func run(ctx context.Context, args []string, getenv func(string) string) error {
	host, _ := os.Hostname() // an unknown name is shown as an empty one
	flags := flag.NewFlagSet("deploy", flag.ContinueOnError)
	addr := flags.String("http", ":8080", "address to listen on")
	name := flags.String("name", host, "name of this node in its answers")
	delay := flags.Duration("drain", 5*time.Second, "how long to serve on after /readyz said 503")
	if err := flags.Parse(args); err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil)).With("node", *name)
	node, err := cohort.Open(ctx, cohort.Options{Getenv: getenv, Logger: log})
	if err != nil {
		return err
	}
	return node.Run(ctx, cohort.RunOptions{DrainDelay: *delay}, func(ctx context.Context) error {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", *addr)
		if err != nil {
			return err
		}
		return serve(ctx, node, *name, listener)
	})
}
