// Readthrough puts a cache in front of a slow source, in three processes: one of
// them loads, all of them answer, and a change on one is measured until the others
// see it.
//
//	go run ./examples/readthrough                                # needs nothing installed
//	go run ./examples/readthrough -redis redis://localhost:6379
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/cohort-go/cohort/internal/embedded"
)

func main() {
	url := flag.String("redis", "", "URL of a Redis (default: a small one in this process)")
	asNode := flag.Bool("node", false, "be one of the processes")
	flag.Parse()
	run := show
	if *asNode {
		run = serve
	}
	if err := run(context.Background(), *url); err != nil {
		fmt.Fprintln(os.Stderr, "readthrough:", err)
		os.Exit(1)
	}
}

func show(ctx context.Context, url string) error {
	if url == "" {
		server, err := embedded.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		url = server.URL()
	}
	nodes := make([]*process, 3)
	for i := range nodes {
		var err error
		if nodes[i], err = start(ctx, url); err != nil {
			return err
		}
		defer nodes[i].stop()
	}
	if err := cold(nodes); err != nil {
		return err
	}
	return change(nodes)
}

// cold asks all processes at once for what none of them has.
func cold(nodes []*process) error {
	fmt.Println("three processes are asked at once; the source takes 200ms:")
	for _, n := range nodes {
		n.ask("get")
	}
	loads := 0
	for i, n := range nodes {
		a, err := n.answer()
		if err != nil {
			return err
		}
		if a.Source == "loader" {
			loads++
		}
		fmt.Printf("  process %d: %q after %v, from %s\n", i+1, a.Value, a.Took.Round(time.Millisecond), a.Source)
	}
	fmt.Printf("  the source was asked %d time\n", loads)
	return nil
}

// change writes on the first process and has the others tell when they saw it.
func change(nodes []*process) error {
	for round := range 5 {
		value := fmt.Sprint("price ", round+2)
		for _, n := range nodes[1:] {
			n.ask("await " + value)
		}
		nodes[0].ask("set " + value)
		written, err := nodes[0].answer()
		if err != nil {
			return err
		}
		fmt.Printf("%q is written", value)
		for i, n := range nodes[1:] {
			seen, err := n.answer()
			if err != nil {
				return err
			}
			fmt.Printf("; process %d sees it %v later", i+2, max(seen.At.Sub(written.At), 0).Round(10*time.Microsecond))
		}
		fmt.Println()
	}
	return nil
}
