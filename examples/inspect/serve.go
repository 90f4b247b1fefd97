package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed style.css
var style []byte

// serve serves the page until ctx ends.
func serve(ctx context.Context, src *source, o options) error {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.http)
	if err != nil {
		return err
	}
	return newServer(src, o).serve(ctx, listener)
}

// serve answers on listener, and samples, until ctx ends.
func (s *server) serve(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var sampler sync.WaitGroup
	sampler.Go(func() { s.history.run(ctx) })
	defer sampler.Wait()
	defer cancel()

	web := &http.Server{Handler: s.handler(), ReadHeaderTimeout: 5 * time.Second}
	fmt.Fprintf(os.Stderr, "inspect: http://%s\n", listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- web.Serve(listener) }() // ends with Shutdown
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer stop()
	return web.Shutdown(ctx)
}

// server is the page.
type server struct {
	src     *source
	opts    options
	history *history
	notices notices
	locks   memo[lockRow]
	cache   memo[cacheRow]
}

func newServer(src *source, o options) *server {
	return &server{src: src, opts: o, history: newHistory(src)}
}

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page)
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Write(style)
	})
	for _, verb := range []string{"redrive", "purge", "pause", "resume"} {
		mux.HandleFunc("POST /"+verb, func(w http.ResponseWriter, r *http.Request) { s.change(w, r, verb) })
	}
	// Posts of other sites are refused by their Origin; a name that another site
	// points at this address, by its Host.
	return s.guard(http.NewCrossOriginProtection().Handler(mux))
}

// guard refuses unknown hosts and tells the browser what the page needs: nothing
// but its own style and forms.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.knows(r.Host) {
			http.Error(w, "unknown host: start with -host to serve under a name", http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// knows reports whether host is an address, localhost, or named by -host.
func (s *server) knows(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	return host == "localhost" || net.ParseIP(host) != nil ||
		s.opts.hosts != "" && slices.Contains(strings.Split(s.opts.hosts, ","), host)
}

// change carries out what a button asks for and shows the page again.
func (s *server) change(w http.ResponseWriter, r *http.Request, verb string) {
	if !s.opts.write {
		http.Error(w, errReadOnly.Error(), http.StatusForbidden)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "malformed form", http.StatusBadRequest)
		return
	}
	o := s.opts
	o.id, o.state = r.PostForm.Get("id"), r.PostForm.Get("state")
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	n := notice{}
	if did, err := s.src.change(ctx, verb, r.PostForm.Get("queue"), o); err != nil {
		n = notice{Text: verb + ": " + err.Error(), Bad: true}
	} else {
		n.Text = did
	}
	s.history.sample(ctx)
	http.Redirect(w, r, "/?notice="+s.notices.keep(n), http.StatusSeeOther)
}

// explain is what is shown in place of what could not be read.
func explain(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	}
	return err.Error()
}
