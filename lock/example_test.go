package lock_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/lock"
)

func Example() {
	ctx := context.Background()
	locker, err := lock.NewMemory(lock.Options{})
	if err != nil {
		panic(err)
	}
	defer locker.Close(ctx)

	lease, err := locker.Acquire(ctx, "rebuild-index", lock.Request{TTL: 30 * time.Second})
	if err != nil {
		fmt.Println("no lock:", err)
		return
	}
	_, err = locker.TryAcquire(ctx, "rebuild-index", lock.Request{})
	fmt.Println(err)
	fmt.Println("released:", lease.Release(ctx) == nil)
	fmt.Println(lease.Release(ctx))
	// Output:
	// lock: acquire rebuild-index: held by another
	// released: true
	// lock: release rebuild-index: lease released
}

func ExampleDo() {
	ctx := context.Background()
	locker, err := lock.NewMemory(lock.Options{})
	if err != nil {
		panic(err)
	}
	defer locker.Close(ctx)

	o := lock.Request{TTL: 100 * time.Millisecond, NoRenew: true}
	err = lock.Do(ctx, locker, "report", o, func(ctx context.Context, _ *lock.Lease) error {
		<-ctx.Done() // work that takes longer than the lock lasts
		return nil
	})
	fmt.Println("lost:", errors.Is(err, lock.ErrLost))
	// Output: lost: true
}

func ExampleLead() {
	ctx, cancel := context.WithCancel(context.Background())
	locker, err := lock.NewMemory(lock.Options{})
	if err != nil {
		panic(err)
	}
	defer locker.Close(context.Background())

	err = lock.Lead(ctx, locker, "scheduler", lock.Request{}, func(ctx context.Context, term uint64) error {
		fmt.Println("leading:", term > 0)
		cancel() // the process is asked to stop
		<-ctx.Done()
		return nil
	})
	fmt.Println(err)
	// Output:
	// leading: true
	// context canceled
}
