package testenv

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Rabbit is a RabbitMQ node of one's own: a child process on a port that it
// keeps over restarts, with what it stores in a folder of its own. Its methods
// are safe for concurrent use.
type Rabbit struct {
	name   string // of the node in Erlang
	dir    string
	port   *port // for clients; its bus port is for other nodes
	tls    *port // nil unless it speaks TLS
	mapper *portMapper

	mu   sync.Mutex
	proc *Process
}

// RabbitMQ starts a node, which ends with t. It takes some seconds; the lines
// are added to its configuration.
func RabbitMQ(t testing.TB, config ...string) *Rabbit {
	t.Helper()
	return rabbits(t, 1, nil, config).Nodes[0]
}

// RabbitTLS starts a node that speaks TLS, too, at [Rabbit.TLSAddr], and asks for
// a client's certificate if mutual.
func RabbitTLS(t testing.TB, c *Certificates, mutual bool) *Rabbit {
	t.Helper()
	return rabbits(t, 1, c, []string{
		"ssl_options.verify = verify_peer",
		fmt.Sprintf("ssl_options.fail_if_no_peer_cert = %t", mutual),
	}).Nodes[0]
}

// start runs the node with what it has stored.
func (r *Rabbit) start() error {
	cmd, err := r.command(context.Background(), "rabbitmq-server")
	if err != nil {
		return err
	}
	p, err := launch("rabbitmq", r.dir, cmd)
	if err != nil {
		return err
	}
	r.mu.Lock()
	r.proc = p
	r.mu.Unlock()
	if err := p.awaitReady(time.Minute, r.ready); err != nil {
		p.Kill()
		return err
	}
	return nil
}

// ready reports whether the node answers on all its ports.
func (r *Rabbit) ready() error {
	if err := greets(r.Addr()); err != nil || r.tls == nil {
		return err
	}
	conn, err := net.DialTimeout("tcp", r.TLSAddr(), time.Second)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// command is one of RabbitMQ's programs, set up for this node. Unpacked
// programs see the node's folder as /tmp of their own root.
func (r *Rabbit) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	path, err := program(name)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, args...)
	if root := unpackedRoot(path); root != "" {
		if os.Geteuid() != 0 {
			return nil, &missingError{1, name, "as it is unpacked it runs as root only"}
		}
		mount := `mount --bind "$1" "$2` + unpackedHome + `" && shift 2 && exec "$@"`
		cmd = exec.CommandContext(ctx, "sh", append([]string{"-c", mount, "sh", r.dir, root, path}, args...)...)
		cmd.SysProcAttr = enclosedAttr()
	}
	cmd.Env = append(os.Environ(), r.environment(r.home(path))...)
	return cmd, nil
}

// unpackedHome is where a node that was unpacked finds its folder.
const unpackedHome = "/tmp"

// unpackedRoot is the root that an unpacked program runs in, or "" for an
// installed one.
func unpackedRoot(path string) string {
	root := filepath.Join(filepath.Dir(filepath.Dir(path)), "root")
	if info, err := os.Stat(filepath.Join(root, unpackedHome)); err == nil && info.IsDir() {
		return root
	}
	return ""
}

// home is the node's folder as RabbitMQ's program at path sees it.
func (r *Rabbit) home(path string) string {
	if unpackedRoot(path) != "" {
		return unpackedHome
	}
	return r.dir
}

// environment is how RabbitMQ's programs are configured.
func (r *Rabbit) environment(dir string) []string {
	return []string{
		"RABBITMQ_NODENAME=" + r.name,
		"RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
		fmt.Sprintf("RABBITMQ_NODE_PORT=%d", r.port.number),
		fmt.Sprintf("RABBITMQ_DIST_PORT=%d", r.port.number+busOffset),
		fmt.Sprintf("ERL_EPMD_PORT=%d", r.mapper.port()),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"HOME=" + dir, "RABBITMQ_HOME_DIR=" + dir,
		"RABBITMQ_CONFIG_FILE=" + dir + "/rabbitmq.conf",
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + dir + "/plugins",
		"RABBITMQ_MNESIA_BASE=" + dir + "/data",
		"RABBITMQ_LOGS=-",
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-setcookie cohort -start_epmd false +sbwt none",
		"RABBITMQ_CTL_ERL_ARGS=-setcookie cohort -start_epmd false",
		"RUNNING_UNDER_SYSTEMD=1", // no shell stays between the process and the server
	}
}

// Addr is host and port for clients.
func (r *Rabbit) Addr() string { return r.port.addr() }

// TLSAddr is host and port for TLS, of a node that [RabbitTLS] started.
func (r *Rabbit) TLSAddr() string { return r.tls.addr() }

// URL names the node's default virtual host, and the user that may do all.
func (r *Rabbit) URL() string { return "amqp://guest:guest@" + r.Addr() + "/" }

// Node is the node's name, as rabbitmqctl takes it.
func (r *Rabbit) Node() string { return r.name }

// Process is the running process; a restart makes another one.
func (r *Rabbit) Process() *Process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.proc
}

// Freeze stops the node as a long pause would; connections stay open.
func (r *Rabbit) Freeze() { r.Process().Freeze() }

// Thaw lets a frozen node go on.
func (r *Rabbit) Thaw() { r.Process().Thaw() }

// Kill ends the node as a crash would and returns when it is gone.
func (r *Rabbit) Kill() { r.Process().Kill() }

// Restart kills the node, if it runs, and starts it with what it has stored.
func (r *Rabbit) Restart(t testing.TB) {
	t.Helper()
	r.Kill()
	if err := r.start(); err != nil {
		t.Errorf("restart: %v", err)
	}
}

// Ctl runs rabbitmqctl on the node, which takes a second, and returns what it
// prints: Ctl(t, "stop_app"), Ctl(t, "delete_queue", "name").
func (r *Rabbit) Ctl(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd, err := r.command(ctx, "rabbitmqctl", append([]string{"--quiet"}, args...)...)
	if err != nil {
		unavailable(t, err)
	}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("rabbitmqctl %s: %v\n%s", strings.Join(args, " "), err, output)
	}
	return string(output)
}

func (r *Rabbit) stop() {
	r.Kill()
	r.port.release()
	if r.tls != nil {
		r.tls.release()
	}
}
