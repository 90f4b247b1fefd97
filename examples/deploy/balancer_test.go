package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

// Nodes that are replaced one after the other behind a load balancer lose no
// request and no job, and give no ID twice.
func TestRollingRestart(t *testing.T) {
	balancers := []struct {
		name  string
		start func(t *testing.T, n *nodes) (addr string)
	}{
		{"nginx", func(t *testing.T, n *nodes) string { return startNginx(t, n) }},
		{"haproxy", startHAProxy},
	}
	for _, b := range balancers {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			n := startNodes(t)
			c := startClients(t, b.start(t, n), "GET /", "GET /report", "POST /jobs")
			for i := range n.procs {
				c.awaitServed(t, nodeName(i))
			}
			for i := range n.procs {
				n.end(t, i)
				n.start(t, i)
				n.awaitReady(t, i)
				c.awaitServed(t, nodeName(i))
			}
			c.close()
			t.Logf("answered by node: %v; lost: %d", c.served, len(c.lost))
			for _, l := range c.lost[:min(len(c.lost), 10)] {
				t.Error("lost:", l)
			}
			n.awaitJobs(t, c.jobs)
		})
	}
}

// With ip_hash a client stays with one node.
func TestStickyClients(t *testing.T) {
	n := startNodes(t)
	c := startClients(t, startNginx(t, n, "# ip_hash;", "ip_hash;"))
	first := ""
	for range 30 {
		a, err := c.ask(t.Context(), "GET", "/")
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = a.Node
		}
		if a.Node != first {
			t.Fatalf("%s after %s", a.Node, first)
		}
	}
}

// startNginx starts nginx with our configuration, changed in pairs of old and
// new, as its own would include it.
func startNginx(t *testing.T, n *nodes, change ...string) (addr string) {
	t.Helper()
	program := testenv.Tool(t, "nginx", "nginx")
	addr = testenv.Addr(t)
	dir := t.TempDir()
	conf := readConf(t, "nginx.conf", append(change, "listen 80;", "listen "+addr+";",
		"node1:8080", n.addrs[0], "node2:8080", n.addrs[1], "node3:8080", n.addrs[2])...)
	write(t, filepath.Join(dir, "default.conf"), conf)
	write(t, filepath.Join(dir, "nginx.conf"), strings.ReplaceAll(`
		daemon off;
		worker_processes 1;
		pid DIR/pid;
		error_log stderr;
		events {}
		http {
			access_log off;
			client_body_temp_path DIR/body;
			proxy_temp_path DIR/proxy;
			fastcgi_temp_path DIR/fastcgi;
			uwsgi_temp_path DIR/uwsgi;
			scgi_temp_path DIR/scgi;
			include DIR/default.conf;
		}`, "DIR", dir))
	testenv.Start(t, "nginx", exec.Command(program, "-e", "stderr", "-p", dir, "-c", filepath.Join(dir, "nginx.conf")))
	awaitListening(t, addr)
	return addr
}

func startHAProxy(t *testing.T, n *nodes) (addr string) {
	t.Helper()
	program := testenv.Tool(t, "haproxy", "haproxy")
	addr = testenv.Addr(t)
	conf := filepath.Join(t.TempDir(), "haproxy.cfg")
	write(t, conf, readConf(t, "haproxy.cfg", "bind :80", "bind "+addr,
		"node1:8080", n.addrs[0], "node2:8080", n.addrs[1], "node3:8080", n.addrs[2]))
	testenv.Start(t, "haproxy", exec.Command(program, "-db", "-f", conf))
	awaitListening(t, addr)
	return addr
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func awaitListening(t *testing.T, addr string) {
	t.Helper()
	await(t, "something listens on "+addr, func() error {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err
	})
}
