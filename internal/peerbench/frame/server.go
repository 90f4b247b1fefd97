package frame

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// A Server is the Redis that all contenders use.
type Server struct {
	url    string
	client *redis.Client
	own    *exec.Cmd // nil if the server was given by URL
	dir    string
}

// OpenServer uses the server at url, or starts one if url is empty: redis-server
// on PATH or in the folder that COHORT_TEST_SERVERS names.
func OpenServer(ctx context.Context, url string) (*Server, error) {
	s := &Server{url: url}
	if url == "" {
		if err := s.start(ctx); err != nil {
			return nil, err
		}
	}
	opts, err := redis.ParseURL(s.url)
	if err != nil {
		return nil, errors.New("-redis is not a URL of a Redis server")
	}
	s.client = redis.NewClient(opts)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		err := s.client.Ping(ctx).Err()
		if err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			return nil, errors.Join(fmt.Errorf("Redis does not answer: %w", err), s.Close())
		}
	}
}

func (s *Server) start(ctx context.Context) error {
	path := filepath.Join(os.Getenv("COHORT_TEST_SERVERS"), "bin", "redis-server")
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath("redis-server"); err != nil {
			return fmt.Errorf("no Redis: give -redis URL, or set COHORT_TEST_SERVERS: %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "peerbench")
	if err != nil {
		return err
	}
	s.dir = dir
	port, err := freePort()
	if err != nil {
		return err
	}
	s.url = "redis://127.0.0.1:" + port + "/0"
	s.own = exec.CommandContext(ctx, path, "--port", port, "--bind", "127.0.0.1", "--dir", dir,
		"--save", "", "--appendonly", "no")
	return s.own.Start()
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// URL names the server.
func (s *Server) URL() string { return s.url }

// Version is the server's own word.
func (s *Server) Version(ctx context.Context) string {
	return s.info(ctx)["redis_version"]
}

// Close ends the server if OpenServer started it.
func (s *Server) Close() error {
	var err error
	if s.client != nil {
		err = s.client.Close()
	}
	if s.own != nil {
		_ = s.own.Process.Kill()
		_ = s.own.Wait()
		err = errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// empty removes all data, but only of a server of our own.
func (s *Server) empty(ctx context.Context) error {
	if s.own == nil {
		return nil
	}
	return s.client.FlushAll(ctx).Err()
}

// cpu is the CPU time that the server has used.
func (s *Server) cpu(ctx context.Context) (time.Duration, error) {
	info := s.info(ctx)
	var seconds float64
	for _, key := range []string{"used_cpu_user", "used_cpu_sys"} {
		v, err := strconv.ParseFloat(info[key], 64)
		if err != nil {
			return 0, fmt.Errorf("INFO has no %s: %w", key, err)
		}
		seconds += v
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

func (s *Server) info(ctx context.Context) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(s.client.Info(ctx).Val()) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[key] = value
		}
	}
	return fields
}

// endMark is the last thing that a monitored round sends.
const endMark = "peerbench-end"

// monitor counts the commands that clients send while f runs, and those that
// scripts call.
func (s *Server) monitor(ctx context.Context, f func() error) (sent, inScripts int, err error) {
	conn, err := s.client.Options().Dialer(ctx, "tcp", s.client.Options().Addr)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	if password := s.client.Options().Password; password != "" {
		user := s.client.Options().Username
		if user == "" {
			user = "default"
		}
		fmt.Fprintf(conn, "*3\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(user), user, len(password), password)
		lines.Scan()
	}
	if _, err := fmt.Fprint(conn, "MONITOR\r\n"); err != nil || !lines.Scan() {
		return 0, 0, errors.Join(errors.New("MONITOR is refused"), err)
	}
	counted := make(chan struct{})
	go func() {
		defer close(counted)
		for lines.Scan() && !strings.Contains(lines.Text(), endMark) {
			switch head, _, _ := strings.Cut(lines.Text(), `"`); {
			case strings.HasSuffix(head, "lua] "):
				inScripts++
			default:
				sent++
			}
		}
	}()
	err = f()
	if echoErr := s.client.Echo(ctx, endMark).Err(); echoErr != nil {
		conn.Close()
		err = errors.Join(err, echoErr)
	}
	<-counted
	return sent, inScripts, err
}
