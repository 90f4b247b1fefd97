// Idbench measures the making of IDs on this machine, and takes IDs apart.
//
//	go run ./examples/idbench                                      # the default runs
//	go run ./examples/idbench -layout wide63,41/10/12 -goroutines 1,8,32 -batch 1,256 -duration 1s
//	go run ./examples/idbench -json
//	go run ./examples/idbench decode 199179108679722
//	go run ./examples/idbench decode -form base62 -layout wide63 000uYeufgJm
//
// A layout is compat53, wide63, or the bits of time, worker and sequence, with ticks
// of a millisecond. A batch of 1 calls Next, a larger one Fill. No layout makes more
// IDs than it has; a run waits for the rest. A short run can reach more than that,
// because it uses up MaxAhead, the next second, as well.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "idbench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "decode" {
		return decode(args[1:], out)
	}
	return bench(ctx, args, out)
}
