// Command configsync runs three processes that hold one configuration in memory
// and keep it in step by signals. One of them is cut off for longer than the
// signals are kept; it is told so, loads the configuration again, and goes on.
//
//	go run ./examples/configsync
//
// It brings its own Redis. With -redis the processes use the one at that URL.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
)

func main() {
	os.Exit(run())
}

func run() int {
	url := flag.String("redis", "", "URL of a Redis; empty for one in this process")
	name := flag.String("node", "", "run as the node of this name (used by the example itself)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *name != "" {
		err = node(ctx, *name, *url)
	} else {
		err = direct(ctx, *url)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "configsync:", err)
		return 1
	}
	return 0
}
