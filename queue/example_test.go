package queue_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cohort-go/cohort/queue"
)

type Mail struct {
	To string `json:"to"`
}

// A queue of mails: one is sent at the second attempt, one never.
func Example() {
	ctx := context.Background()
	q, err := queue.NewMemory("mails", queue.MemoryOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer q.Close(ctx)

	mails := queue.Of(q, "mail", queue.JSON[Mail]())
	for _, to := range []string{"ann@example.org", "nobody"} {
		if _, err := mails.Enqueue(ctx, Mail{To: to}, queue.Message{}); err != nil {
			fmt.Println(err)
		}
	}

	send := func(_ context.Context, m Mail, d *queue.Delivery) error {
		switch {
		case m.To == "nobody":
			return queue.Dead(errors.New("no such address"))
		case d.Attempt == 1:
			return queue.RetryIn(10*time.Millisecond, errors.New("mail server is busy"))
		}
		fmt.Println("sent to", m.To, "at attempt", d.Attempt)
		return nil
	}
	if _, err := mails.Consume(ctx, send, queue.ConsumeOptions{Concurrency: 1}); err != nil {
		fmt.Println(err)
		return
	}
	if err := q.Drain(ctx); err != nil {
		fmt.Println(err)
	}
	dead, err := q.List(ctx, queue.ListRequest{State: queue.StateDead})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, m := range dead.Messages {
		fmt.Println("dead:", string(m.Payload), m.LastError)
	}
	// Output:
	// sent to ann@example.org at attempt 2
	// dead: {"to":"nobody"} no such address
}
