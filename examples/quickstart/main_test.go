package main

import (
	"context"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// shipping a teapot
	// every node heard: a teapot for 40, ordered by worker 0
}
