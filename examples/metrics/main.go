// Metrics shows a node to Prometheus: what its areas do goes through the Hooks of
// each into OpenTelemetry, and from there to a page that Prometheus reads.
//
//	go run ./examples/metrics                        # in memory
//	curl localhost:9464/metrics
//	REDIS_URL=redis://localhost:6379 QUEUE_ADAPTER=redis go run ./examples/metrics
//
// A little shop gives the metrics something to count. The same address answers
// /livez and /readyz.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cohort-go/cohort"
)

func main() {
	addr := flag.String("http", "localhost:9464", "address of the page")
	flag.Parse()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s/metrics\n", listener.Addr())
	if err := run(context.Background(), listener, os.Getenv); err != nil {
		log.Fatal(err)
	}
}

// run keeps shop until the process is asked to end.
func run(ctx context.Context, listener net.Listener, getenv func(string) string) error {
	tel, err := newTelemetry()
	if err != nil {
		return err
	}
	node, err := cohort.Open(ctx, cohort.Options{Getenv: getenv, Hooks: tel.hooks()})
	if err != nil {
		return errors.Join(err, tel.close(ctx))
	}
	err = node.Run(ctx, cohort.RunOptions{}, func(ctx context.Context) error {
		s, err := openShop(ctx, node, tel)
		if err != nil {
			return err
		}
		served := make(chan error, 1)
		go func() { served <- s.sell(ctx) }() // ends with ctx
		return errors.Join(serve(ctx, listener, node), <-served, s.close())
	})
	return errors.Join(err, tel.close(context.WithoutCancel(ctx)))
}

// serve answers Prometheus and the load balancer until ctx ends.
func serve(ctx context.Context, listener net.Listener, node *cohort.Node) error {
	mux := http.NewServeMux()
	mux.Handle("/", node.Health().Handler())
	mux.Handle("GET /metrics", promhttp.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(ending) // Serve has returned by then
	})
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
