package workerid_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

func Example() {
	ctx := context.Background()
	numbers, err := workerid.NewMemory(workerid.Options{Count: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer numbers.Close(ctx)

	lease, err := numbers.Acquire(ctx, workerid.Request{Holder: "api-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("number", lease.ID(), "generation", lease.Generation())

	_, err = numbers.Acquire(ctx, workerid.Request{Holder: "api-2"})
	if full, ok := errors.AsType[*workerid.ExhaustedError](err); ok {
		fmt.Println("full, held by", full.Holders[0].Holder)
	}

	fmt.Println("released:", lease.Release(ctx) == nil)
	fmt.Println("so is the context:", errors.Is(context.Cause(lease.Context()), workerid.ErrReleased))
	// Output:
	// number 0 generation 1
	// full, held by api-1
	// released: true
	// so is the context: true
}

// A node that would rather wait for a number than fail says for how long.
func ExampleRequest_wait() {
	ctx := context.Background()
	numbers, err := workerid.NewMemory(workerid.Options{Count: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer numbers.Close(ctx)
	if _, err := numbers.Acquire(ctx, workerid.Request{}); err != nil {
		fmt.Println(err)
		return
	}

	soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	_, err = numbers.Acquire(soon, workerid.Request{Wait: true})
	fmt.Println(errors.Is(err, workerid.ErrExhausted), errors.Is(err, context.DeadlineExceeded))
	// Output: true true
}
