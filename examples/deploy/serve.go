package main

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/cohort-go/cohort"
	"github.com/cohort-go/cohort/queue"
)

const (
	topic = "jobs"
	// shutdown bounds the requests that still run when the listener has closed.
	shutdown = 10 * time.Second
	// movable is what a load balancer that cannot ask /readyz sets on requests
	// that it would give to another node on a 503; see nginx.conf.
	movable = "X-Movable"
)

// service is one node's share of the work.
type service struct {
	node *cohort.Node
	name string
	jobs queue.Queue
}

// serve answers requests and works on jobs, as WORKER_MODE says, until ctx ends;
// then it refuses connections and finishes what it has begun. Probes are answered
// by every node.
func serve(ctx context.Context, node *cohort.Node, name string, listener net.Listener) error {
	jobs, err := node.Queue(topic)
	if err != nil {
		return err
	}
	s := &service{node: node, name: name, jobs: jobs}
	if node.Serving(topic) {
		// Close of the node lets the handlers finish.
		if _, err := jobs.Consume(context.WithoutCancel(ctx), s.work, queue.ConsumeOptions{Name: name}); err != nil {
			return err
		}
	}
	server := &http.Server{Handler: s.routes(), ReadHeaderTimeout: 5 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }() // ends with Shutdown
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdown)
	defer cancel()
	return server.Shutdown(ctx)
}

func (s *service) routes() http.Handler {
	mux := http.NewServeMux()
	probes := s.node.Health().Handler()
	mux.Handle("GET /livez", probes)
	mux.Handle("GET /readyz", probes)
	if s.node.Config().Serving.Requests() {
		mux.Handle("GET /{$}", s.draining(s.hello))
		mux.Handle("GET /report", s.draining(s.report))
		mux.Handle("POST /jobs", s.draining(s.enqueue))
	}
	return mux
}

// draining sends what comes to a node that is about to end elsewhere: by an
// end of the connection, so that the next request takes another, and by a 503
// where the load balancer has said that it moves the request on.
func (s *service) draining(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.node.Health().Report().Ready() {
			w.Header().Set("Connection", "close")
			if r.Header.Get(movable) != "" {
				http.Error(w, "another node, please", http.StatusServiceUnavailable)
				return
			}
		}
		next(w, r)
	})
}

type answer struct {
	Node string
	ID   string
}

func (s *service) hello(w http.ResponseWriter, r *http.Request) {
	id, err := s.node.IDs().Next(r.Context())
	s.answer(w, id.String(), err)
}

// report stands for a request that takes a moment.
func (s *service) report(w http.ResponseWriter, r *http.Request) {
	select {
	case <-time.After(300 * time.Millisecond):
		s.hello(w, r)
	case <-r.Context().Done():
	}
}

func (s *service) enqueue(w http.ResponseWriter, r *http.Request) {
	id, err := s.jobs.Enqueue(r.Context(), queue.Message{Payload: []byte(r.RemoteAddr)})
	s.answer(w, id.String(), err)
}

func (s *service) answer(w http.ResponseWriter, id string, err error) {
	if err != nil {
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer{Node: s.name, ID: id})
}

// work stands for a job that takes a moment.
func (s *service) work(ctx context.Context, _ *queue.Delivery) error {
	select {
	case <-time.After(50 * time.Millisecond):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
