// Progress is a web service that enqueues a report for each request and shows how
// far a worker has come with it.
//
//	go run ./examples/progress
//	curl -X POST localhost:8080/reports      # answers with where to look
//	curl localhost:8080/reports/ID
//
// Web part and worker share a memory queue here; with queueredis in its place they
// would be different processes, and nothing else would change.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/cohort-go/cohort/queue"
)

func main() {
	addr := flag.String("http", "localhost:8080", "address to listen on")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *addr); err != nil {
		fmt.Fprintln(os.Stderr, "progress:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, addr string) error {
	q, err := queue.NewMemory("reports", queue.MemoryOptions{})
	if err != nil {
		return err
	}
	defer q.Close(context.WithoutCancel(ctx))
	if _, err := q.Consume(ctx, write, queue.ConsumeOptions{Concurrency: 2}); err != nil {
		return err
	}
	server := &http.Server{Addr: addr, Handler: handler(q), ReadHeaderTimeout: 5 * time.Second}
	ended := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer ended()
	fmt.Println("listening on", addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// write makes a report in ten steps.
func write(ctx context.Context, d *queue.Delivery) error {
	for step := range 10 {
		if err := d.SetProgress(ctx, fmt.Appendf(nil, "%d %%", 10*step)); err != nil {
			return err
		}
		select {
		case <-time.After(300 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	d.SetResult([]byte("all is well"))
	return nil
}

// service is what the handlers need of the queue.
type service interface {
	queue.Queue
	queue.Inspector
}

func handler(q service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /reports", func(w http.ResponseWriter, r *http.Request) {
		id, err := q.Enqueue(r.Context(), queue.Message{Kind: "report", Retain: time.Hour})
		if err != nil {
			http.Error(w, "try again later", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Location", "/reports/"+id.String())
		w.WriteHeader(http.StatusAccepted)
		fmt.Fprintln(w, "/reports/"+id.String())
	})
	mux.HandleFunc("GET /reports/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, err := queue.ParseID(r.PathValue("id"))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		show(w, r, q, id)
	})
	return mux
}

func show(w http.ResponseWriter, r *http.Request, q queue.Inspector, id queue.ID) {
	info, err := q.Get(r.Context(), id)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		http.NotFound(w, r)
		return
	case err != nil:
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{ // the client may be gone
		"state": string(info.State), "progress": string(info.Progress), "result": string(info.Result),
	})
}
