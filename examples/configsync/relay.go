package main

import (
	"context"
	"io"
	"net"
	"sync"
)

// relay is a road to the server that can be cut.
type relay struct {
	listener net.Listener
	target   string
	loops    sync.WaitGroup

	mu     sync.Mutex
	broken bool
	open   map[net.Conn]struct{}
}

func newRelay(ctx context.Context, target string) (*relay, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, target: target, open: make(map[net.Conn]struct{})}
	r.loops.Go(func() { r.accept(ctx) })
	return r, nil
}

func (r *relay) addr() string { return r.listener.Addr().String() }

// cut ends all connections, and new ones at once, until mend.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = true
	for conn := range r.open {
		_ = conn.Close()
	}
}

func (r *relay) mend() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.broken = false
}

func (r *relay) close() {
	_ = r.listener.Close()
	r.cut()
	r.loops.Wait()
}

func (r *relay) accept(ctx context.Context) {
	for {
		conn, err := r.listener.Accept()
		if err != nil {
			return
		}
		server, err := new(net.Dialer).DialContext(ctx, "tcp", r.target)
		if err != nil || !r.keep(conn, server) {
			_ = conn.Close()
			continue
		}
		r.loops.Go(func() { r.pass(conn, server) })
		r.loops.Go(func() { r.pass(server, conn) })
	}
}

// keep notes an open connection, unless the road is cut.
func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		if r.broken {
			_ = c.Close()
			continue
		}
		r.open[c] = struct{}{}
	}
	return !r.broken
}

func (r *relay) pass(from, to net.Conn) {
	_, _ = io.Copy(to, from)
	_ = from.Close()
	_ = to.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.open, from)
}
