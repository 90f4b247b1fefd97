// Workermode shows how nodes of one program share the work of a queue: one serves
// requests and only enqueues, two only work, and one of these is killed on the way.
//
//	go run ./examples/workermode
//	REDIS_URL=redis://localhost:6379 go run ./examples/workermode
//
// Each node is a process of its own that reads WORKER_MODE, as a deployment would
// set it. Without REDIS_URL a small Redis runs inside the parent process.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/internal/embedded"
	"github.com/cohort-go/cohort/internal/redisurl"
	"github.com/cohort-go/cohort/queue"
	"github.com/cohort-go/cohort/queue/queueredis"
)

// jobs is how many the serving node enqueues.
const jobs = 60

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	run := parent
	if len(os.Args) > 1 {
		run = node
	}
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "workermode:", err)
		stop()
		os.Exit(1)
	}
}

// parent starts the nodes, kills a worker, and waits until every job is done.
func parent(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	url := os.Getenv("REDIS_URL")
	if url == "" {
		server, err := embedded.Start()
		if err != nil {
			return err
		}
		defer server.Close()
		url = server.URL()
	}
	namespace := "workermode-" + strconv.Itoa(os.Getpid())
	var nodes []*exec.Cmd
	defer func() {
		for _, n := range nodes {
			_ = n.Process.Kill()
			_ = n.Wait()
		}
	}()
	for name, mode := range map[string]string{"web": "!", "worker-1": "mails", "worker-2": "mails"} {
		n, err := start(ctx, url, namespace, name, mode)
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
		if name == "worker-1" {
			time.AfterFunc(time.Second, func() {
				fmt.Println("parent    kills worker-1")
				_ = n.Process.Kill()
			})
		}
	}
	return watch(ctx, url, namespace)
}

func start(ctx context.Context, url, namespace, name, mode string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	n := exec.CommandContext(ctx, self, name)
	n.Env = append(os.Environ(), "REDIS_URL="+url, "CLUSTER_NAMESPACE="+namespace, "WORKER_MODE="+mode)
	n.Stdout, n.Stderr = os.Stdout, os.Stderr
	return n, n.Start()
}

// watch prints what the queue knows until all jobs are done.
func watch(ctx context.Context, url, namespace string) error {
	q, closeAll, err := open(ctx, url, namespace)
	if err != nil {
		return err
	}
	defer closeAll()
	inspector, ok := q.(queue.Inspector)
	if !ok {
		return errors.New("the queue cannot be inspected")
	}
	for {
		st, err := inspector.Stats(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("queue     %2d ready, %2d in flight, %2d done, %d leases lost\n", st.ReadyTotal(), st.InFlight, st.Done, st.Lapsed)
		if st.Done == jobs {
			fmt.Println("parent    every job is done, although a worker was killed")
			return nil
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("not all jobs were done in time")
		}
	}
}

func open(ctx context.Context, url, namespace string) (queue.Queue, func(), error) {
	target, err := redisurl.Parse(url)
	if err != nil {
		return nil, nil, err
	}
	rdb := target.NewClient()
	q, err := queueredis.New(rdb, "mails", queueredis.Options{Namespace: namespace})
	if err != nil {
		return nil, nil, errors.Join(err, rdb.Close())
	}
	return q, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		_ = q.Close(ctx) // the process ends
		_ = rdb.Close()
	}, nil
}

// node is one process of the service: WORKER_MODE decides what it takes on.
func node(ctx context.Context) error {
	name := os.Args[1]
	serving, err := cohort.ParseServing(os.Getenv("WORKER_MODE"))
	if err != nil {
		return err
	}
	q, closeAll, err := open(ctx, os.Getenv("REDIS_URL"), os.Getenv("CLUSTER_NAMESPACE"))
	if err != nil {
		return err
	}
	defer closeAll()
	if serving.Topic("mails") {
		return work(ctx, name, q)
	}
	for i := range jobs { // stands for requests that come in
		if _, err := q.Enqueue(ctx, queue.Message{Payload: strconv.AppendInt(nil, int64(i), 10)}); err != nil {
			return err
		}
	}
	fmt.Printf("%-9s enqueued %d jobs and works on none\n", name, jobs)
	return nil
}

func work(ctx context.Context, name string, q queue.Queue) error {
	c, err := q.Consume(ctx, func(ctx context.Context, d *queue.Delivery) error {
		fmt.Printf("%-9s job %s\n", name, d.Payload)
		select {
		case <-time.After(200 * time.Millisecond):
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}, queue.ConsumeOptions{Concurrency: 4, Lease: time.Second, Name: name})
	if err != nil {
		return err
	}
	return c.Wait()
}
