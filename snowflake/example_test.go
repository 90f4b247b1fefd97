package snowflake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cohort-go/cohort/snowflake"
	"github.com/cohort-go/cohort/workerid"
)

// A worker number of this process alone; a cluster leases it through Redis with
// package workeridredis, and nothing else changes.
func Example() {
	ctx := context.Background()
	layout := snowflake.Compat53()
	numbers, err := workerid.NewMemory(workerid.Options{
		Layout: layout.String(), // a node with another one is refused
	})
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
	ids, err := snowflake.New(lease, snowflake.Options{Layout: layout})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ids.Close()

	first, err := ids.Next(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	row := make([]snowflake.ID, 1000)
	if err := ids.Fill(ctx, row); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("ascending:", first < row[0] && slices.IsSorted(row))

	if err := lease.Release(ctx); err != nil {
		fmt.Println(err)
	}
	_, err = ids.Next(ctx)
	fmt.Println("without a number:", errors.Is(err, workerid.ErrReleased))
	// Output:
	// ascending: true
	// without a number: true
}

func ExampleGenerator_TryNext() {
	// One ID a second, for people who have time.
	slow := snowflake.Layout{Tick: time.Second, TimeBits: 40, WorkerBits: 1}
	numbers, err := workerid.NewMemory(workerid.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer numbers.Close(context.Background())
	lease, err := numbers.Acquire(context.Background(), workerid.Request{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, err := snowflake.New(lease, snowflake.Options{Layout: slow})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 10 {
		_, err = ids.TryNext()
	}
	if full, ok := errors.AsType[*snowflake.ExhaustedError](err); ok {
		fmt.Println("retry within a second:", full.RetryAfter <= time.Second)
	}
	// Output: retry within a second: true
}

func ExampleLayout_Decompose() {
	parts, err := snowflake.Compat53().Decompose(199179108679722)
	fmt.Println(parts.Time, parts.Worker, parts.Sequence, err)
	// Output: 2023-11-14 22:13:20 +0000 UTC 5 42 <nil>
}

// All IDs that can have been made on a day, for a scan of a table. The slack is for
// IDs that are stamped a little early or late.
func ExampleLayout_Range() {
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, last, err := snowflake.Compat53().Range(day, day.AddDate(0, 0, 1), 2*time.Second)
	fmt.Printf("WHERE id BETWEEN %d AND %d %v\n", first, last, err)
	// Output: WHERE id BETWEEN 340161405648896 AND 340342607970303 <nil>
}

func ExampleID() {
	id := snowflake.ID(199179108679722)
	data, err := json.Marshal(map[string]any{"string": id, "number": snowflake.Number(id)})
	fmt.Println(string(data), err)
	fmt.Println(id.Base62(), id.Base32())
	_, err = snowflake.ParseBase62("not an ID!!")
	fmt.Println(err)
	// Output:
	// {"number":199179108679722,"string":"199179108679722"} <nil>
	// 000uYeufgJm 0005N4W00A01A
	// snowflake: "not an ID!!" is not an ID
}
