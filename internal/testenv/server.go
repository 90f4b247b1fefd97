package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// startPatience is how long a server may take until it answers.
const startPatience = 20 * time.Second

// A Server is a Redis or Valkey of one's own: a child process on a port that it
// keeps over restarts, with a folder of its own. Its methods are safe for
// concurrent use.
type Server struct {
	program string
	args    []string
	dir     string
	port    *port

	mu   sync.Mutex
	proc *Process
}

// Redis starts a Redis, which ends with t. It keeps no data over a restart
// unless args ask for it, such as "--appendonly", "yes".
func Redis(t testing.TB, args ...string) *Server {
	t.Helper()
	return ownServer(t, "redis-server", args)
}

// Valkey starts a Valkey, which ends with t; see [Redis].
func Valkey(t testing.TB, args ...string) *Server {
	t.Helper()
	return ownServer(t, "valkey-server", args)
}

func ownServer(t testing.TB, name string, args []string) *Server {
	t.Helper()
	s, err := newServer(name, t.TempDir(), args...)
	if err != nil {
		unavailable(t, err)
	}
	s.stopWith(t)
	return s
}

// newServer starts the program with its data in dir.
func newServer(name, dir string, args ...string) (*Server, error) {
	return newProgram(name, dir, func(port int, dir string) ([]string, error) {
		return append(redisArgs(port, dir), args...), nil
	})
}

// redisArgs has a server listen on loopback only, and store nothing.
func redisArgs(port int, dir string) []string {
	return []string{
		"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no", "--enable-debug-command", "yes",
	}
}

// newProgram starts the program with the arguments for a port and its folder.
func newProgram(name, dir string, args func(port int, dir string) ([]string, error)) (*Server, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	reserved, err := reservePort()
	if err != nil {
		return nil, err
	}
	s := &Server{program: path, dir: dir, port: reserved}
	if s.args, err = args(reserved.number, dir); err == nil {
		err = s.start()
	}
	if err != nil {
		reserved.release()
		return nil, err
	}
	return s, nil
}

func (s *Server) start() error {
	p, err := launch(filepath.Base(s.program), s.dir, exec.Command(s.program, s.args...))
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	if err := p.awaitReady(startPatience, func() error { return ping(s.Addr()) }); err != nil {
		p.Kill()
		return err
	}
	return nil
}

func (s *Server) stop() {
	s.Kill()
	s.port.release()
}

// stopWith stops the server at the end of t and shows its log if t failed.
func (s *Server) stopWith(t testing.TB) {
	t.Cleanup(func() {
		s.stop()
		if t.Failed() {
			t.Logf("%s at %s printed:\n%s", s.Process().name, s.Addr(), s.Process().Log())
		}
	})
}

// Addr is host and port.
func (s *Server) Addr() string { return s.port.addr() }

// URL names the server's database 0.
func (s *Server) URL() string { return "redis://" + s.Addr() + "/0" }

// Client returns a client that honours deadlines and is closed at the end of t.
// The options may be changed before it is made.
func (s *Server) Client(t testing.TB, change ...func(*redis.Options)) *redis.Client {
	t.Helper()
	return newClient(t, s.Addr(), change...)
}

// Process is the running process; a restart makes another one.
func (s *Server) Process() *Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

// Freeze stops the server as a long pause would; connections stay open.
func (s *Server) Freeze() { s.Process().Freeze() }

// Thaw lets a frozen server go on.
func (s *Server) Thaw() { s.Process().Thaw() }

// Kill ends the server as a crash would and returns when it is gone.
func (s *Server) Kill() { s.Process().Kill() }

// Restart kills the server, if it runs, and starts it on the same port with
// what it has on disk: nothing, unless it was started with persistence.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		t.Errorf("restart: %v", err)
	}
}

// RestartEmpty is Restart after everything on disk is gone.
func (s *Server) RestartEmpty(t testing.TB) {
	t.Helper()
	s.Kill()
	if err := s.wipe(); err != nil {
		t.Errorf("restart: %v", err)
	}
	s.Restart(t)
}

// A Snapshot is the data of a server as it was once.
type Snapshot struct{ rdb []byte }

// Snapshot returns the server's data.
func (s *Server) Snapshot(t testing.TB) Snapshot {
	t.Helper()
	client := s.Client(t)
	if err := client.Save(t.Context()).Err(); err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	rdb, err := os.ReadFile(filepath.Join(s.dir, "dump.rdb"))
	if err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	if err := os.Remove(filepath.Join(s.dir, "dump.rdb")); err != nil {
		t.Fatalf("snapshot: %v", err)
	}
	return Snapshot{rdb}
}

// RestartFrom is Restart with the data of an earlier moment instead of what the
// server has on disk. It is for servers that keep no append-only file.
func (s *Server) RestartFrom(t testing.TB, old Snapshot) {
	t.Helper()
	s.Kill()
	err := s.wipe()
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, "dump.rdb"), old.rdb, 0o600)
	}
	if err != nil {
		t.Errorf("restart: %v", err)
	}
	s.Restart(t)
}

// wipe removes the data, and leaves the log.
func (s *Server) wipe() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if filepath.Ext(e.Name()) != ".log" {
			errs = append(errs, os.RemoveAll(filepath.Join(s.dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}
