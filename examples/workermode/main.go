// Workermode shows how nodes of one program share the work of a queue: one serves
// requests and only enqueues, two only work, and one of these is killed on the way.
//
//	go run ./examples/workermode
//	REDIS_URL=redis://localhost:6379 go run ./examples/workermode
//	QUEUE_ADAPTER=rabbitmq RABBITMQ_URL=amqp://localhost go run ./examples/workermode
//
// Each node is a process of its own, a cohort.Node that reads WORKER_MODE as a
// deployment would set it; examples/deploy puts such nodes behind a load balancer.
// Without REDIS_URL a small Redis runs inside the parent process.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/queue"
)

// topic is what WORKER_MODE calls the work, and jobs is how much there is of it.
const (
	topic = "mails"
	jobs  = 60
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	run := parent
	if len(os.Args) > 1 {
		run = node
	}
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "workermode:", err)
		os.Exit(1)
	}
}

// node is the main function of one process of the service: WORKER_MODE decides what
// it takes on. It ends when it is asked to.
func node(ctx context.Context, args []string, out io.Writer) error {
	n, err := cohort.Open(ctx, cohort.Options{})
	if err != nil {
		return err
	}
	return n.Run(ctx, cohort.RunOptions{Grace: 5 * time.Second}, func(ctx context.Context) error {
		q, err := n.Queue(topic)
		if err != nil {
			return err
		}
		if n.Serving(topic) {
			if err := work(ctx, args[0], q, out); err != nil {
				return err
			}
		}
		if n.Config().Serving.Requests() {
			if err := serve(ctx, args[0], q, out); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return nil
	})
}

// serve stands for requests that come in.
func serve(ctx context.Context, name string, q queue.Queue, out io.Writer) error {
	for i := range jobs {
		if _, err := q.Enqueue(ctx, queue.Message{Payload: strconv.AppendInt(nil, int64(i), 10)}); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(out, "%-9s enqueued %d jobs and works on none\n", name, jobs)
	return err
}

// work begins to do jobs. A job whose worker dies is another's after its lease, and
// with RabbitMQ at once.
func work(ctx context.Context, name string, q queue.Queue, out io.Writer) error {
	_, err := q.Consume(ctx, func(ctx context.Context, d *queue.Delivery) error {
		select {
		case <-time.After(200 * time.Millisecond):
			fmt.Fprintf(out, "%-9s did job %s\n", name, d.Payload)
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, queue.ConsumeOptions{Concurrency: 4, Lease: time.Second, Name: name})
	return err
}
