package workeridredis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/workerid"
	"github.com/cohort-go/cohort/workerid/workeridredis"
)

func ExampleNew() {
	ctx := context.Background()
	server, err := embedded.Start() // stands in for a Redis of yours
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), ContextTimeoutEnabled: true})
	defer client.Close()

	numbers, err := workeridredis.New(client, workeridredis.Options{
		Options: workerid.Options{Fresh: true}, // nobody has used this server before
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer numbers.Close(ctx)

	start, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	lease, err := numbers.Acquire(start, workerid.Request{Holder: "api-1"})
	if err != nil {
		fmt.Println(err)
		return
	}
	holders, err := numbers.Holders(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("number", lease.ID(), "is held by", holders[0].Holder)
	fmt.Println("released:", lease.Release(ctx) == nil)
	// Output:
	// number 0 is held by api-1
	// released: true
}
