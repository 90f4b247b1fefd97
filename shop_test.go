package cohort_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"go.uber.org/goleak"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/pubsub"
	"github.com/cohort-go/cohort/queue"
)

// How the shop ends: for drainDelay it is unready and answers, and shopGrace
// bounds the rest.
const (
	drainDelay = 1500 * time.Millisecond
	shopGrace  = 10 * time.Second
)

// shop is a service as an application writes it, in a process of its own, with
// all areas on the Redis at args[0]. It prints "at ADDRESS", "begin JOB", "did
// JOB" and "back JOB", and "ended" if no goroutine is left.
func shop(args []string) {
	before := goleak.IgnoreCurrent()
	node, err := cohort.Open(context.Background(), cohort.Options{
		Getenv: onRedis(args[0]), Fresh: true, Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err == nil {
		err = node.Run(context.Background(), cohort.RunOptions{DrainDelay: drainDelay, Grace: shopGrace},
			func(ctx context.Context) error { return serveShop(ctx, node) })
	}
	if err == nil {
		err = goleak.Find(before)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ended")
}

// serveShop answers orders and works on them until ctx ends.
func serveShop(ctx context.Context, n *cohort.Node) error {
	jobs, err := n.Queue("jobs")
	if err != nil {
		return err
	}
	_, err = jobs.Consume(ctx, work, queue.ConsumeOptions{Concurrency: 8, ShutdownGrace: time.Second})
	if err != nil {
		return err
	}
	c, err := n.Cache("prices")
	if err != nil {
		return err
	}
	prices := cache.MustOf(c, cache.JSON[int](), cache.Policy{TTL: time.Minute})
	mux := http.NewServeMux()
	mux.Handle("/", n.Health().Handler())
	mux.HandleFunc("POST /order", func(w http.ResponseWriter, r *http.Request) {
		job, err := order(r.Context(), n, jobs, prices, r.URL.Query().Get("kind"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, job)
	})
	return serveUntil(ctx, mux)
}

// serveUntil answers requests until ctx ends, and those that have begun by then.
func serveUntil(ctx context.Context, h http.Handler) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println("at", listener.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }() // ends with Shutdown
	<-ctx.Done()
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), shopGrace/4)
	defer cancel()
	err = server.Shutdown(ending)
	if s := <-served; !errors.Is(s, http.ErrServerClosed) {
		err = errors.Join(err, s)
	}
	return err
}

// order uses every area once, and leaves a job behind.
func order(ctx context.Context, n *cohort.Node, jobs queue.Queue, prices *cache.Typed[int], kind string) (string, error) {
	id, err := n.IDs().Next(ctx)
	if err != nil {
		return "", err
	}
	_, err = prices.GetOrLoad(ctx, "teapot", func(context.Context, string) (int, error) { return 40, nil })
	if err != nil {
		return "", err
	}
	job := fmt.Sprint(kind, id)
	err = lock.Do(ctx, n.Locker(), "till", lock.Request{}, func(ctx context.Context, _ *lock.Lease) error {
		_, err := jobs.Enqueue(ctx, queue.Message{Kind: kind, Payload: []byte(job)})
		return err
	})
	if err != nil {
		return "", err
	}
	_, err = n.PubSub().Publish(ctx, pubsub.Message{Channel: "orders.created", Payload: []byte(job)})
	return job, err
}

// work does one job: a slow one lasts until the process ends.
func work(ctx context.Context, d *queue.Delivery) error {
	fmt.Println("begin", string(d.Payload))
	if d.Kind == "slow" {
		<-ctx.Done()
		fmt.Println("back", string(d.Payload))
		return context.Cause(ctx)
	}
	time.Sleep(20 * time.Millisecond) // stands for work that does not look at ctx
	fmt.Println("did", string(d.Payload))
	return nil
}
