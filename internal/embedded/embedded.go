// Package embedded is a small Redis inside this process, for examples that run
// where none is installed. It listens on loopback, so that child processes can
// share it, and its keys expire in real time.
//
// It keeps nothing after Close, runs one command at a time, and knows neither
// replication nor access control: it stands in for a server in a demonstration,
// never in production.
package embedded

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// A Server answers the commands of Redis until it is closed.
type Server struct{ mini *miniredis.Miniredis }

// Start returns a server on a free port of loopback.
func Start() (*Server, error) {
	mini := miniredis.NewMiniRedis()
	if err := mini.Start(); err != nil {
		return nil, fmt.Errorf("embedded: %w", err)
	}
	mini.ClockTTL(true) // otherwise no key expires by itself
	return &Server{mini}, nil
}

// Addr is host and port.
func (s *Server) Addr() string { return s.mini.Addr() }

// URL names the server's database 0.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

// Close ends the server and all connections to it.
func (s *Server) Close() { s.mini.Close() }
