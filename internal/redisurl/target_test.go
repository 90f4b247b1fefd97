package redisurl_test

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisurl"
)

func TestParse(t *testing.T) {
	tests := []struct {
		raw  string
		want string // String
	}{
		{"redis://localhost", "redis://localhost:6379/0"},
		{"redis://:p@127.0.0.1:6380/3", "redis://127.0.0.1:6380/3"},
		{"redis://user:p%40ss%2F@[::1]/2?read_timeout=3s&pool_size=7", "redis://[::1]:6379/2"},
		{"redis://[::1]:7000?db=4", "redis://[::1]:7000/4"},
		{"rediss://host/", "rediss://host:6379/0"},
		{"rediss://host?server_name=other&skip_verify=true", "rediss://host:6379/0"},
		{"unix:///run/redis.sock", "unix:///run/redis.sock?db=0"},
		{"unix://:p@/run/a%20b.sock?db=5", "unix:///run/a%20b.sock?db=5"},
		{"redis-sentinel://h1,h2:1/0?master_name=m", "redis-sentinel://h1:26379,h2:1/0?master_name=m"},
		{"rediss-sentinel://u:p@h1?master_name=a%26b&sentinel_password=q", "rediss-sentinel://h1:26379/0?master_name=a%26b"},
		{"redis-cluster://h1,h2:7001,[::1]:7002", "redis-cluster://h1:6379,h2:7001,[::1]:7002"},
		{"rediss-cluster://u:p@h1?max_redirects=8", "rediss-cluster://h1:6379"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			target, err := redisurl.Parse(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := target.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if err := target.NewClient().Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		raw  string
		want string // part of the error
	}{
		{"", "does not begin with scheme://"},
		{"localhost:6379", "does not begin with scheme://"},
		{"redis:host:6379", "is a slash missing?"},
		{"redis:/0", "is a slash missing?"},
		{"redis:/redis-0:6379/2", "is a slash missing?"},
		{"redis:///0", "no host"},
		{"redis://", "no host"},
		{"redis://:6379", "a host has no name"},
		{"redis://host:0", "between 1 and 65535"},
		{"redis://host:70000", "between 1 and 65535"},
		{"redis://host:", "between 1 and 65535"},
		{"redis://::1", "[::1]:port"},
		{"redis://a b", "space"},
		{"http://host", "its scheme is none of redis, redis-cluster"},
		{"redis://h1,h2", "several hosts"},
		{"redis://host/-1", "not a number of 0 or more"},
		{"redis://host/zero", "not a number of 0 or more"},
		{"redis://host/1/2", "not a number of 0 or more"},
		{"redis://host//2", "not a number of 0 or more"},
		{"redis://host/1?db=2", "names a database twice"},
		{"redis://host?db=-1", "not a number of 0 or more"},
		{"redis-cluster://host/1", "only one database"},
		{"redis-cluster://host?db=0", "only one database"},
		{"redis://host?timeout=3", "1 unknown parameters; known are client_name"},
		{"redis://host?password=x", "unknown"},
		{"redis://host?master_name=m", "unknown"},
		{"redis://host?read_timeout=soon", "read_timeout must be a duration"},
		{"redis://host?pool_size=-1", "pool_size must be a number between 0"},
		{"redis://host?protocol=1", "protocol must be a number between 2 and 3"},
		{"redis://host?pool_fifo=yes", "pool_fifo must be true or false"},
		{"redis://host?pool_size=1&pool_size=2", "pool_size is given twice"},
		{"redis-cluster://host?read_only=true", "reads from replicas"},
		{"redis-sentinel://host/0", "no master_name"},
		{"redis://host?ca_file=/tmp/ca.pem", "write rediss for redis"},
		{"rediss://host?ca_file=/does/not/exist", "ca_file cannot be read"},
		{"rediss://host?cert_file=/does/not/exist", "need each other"},
		{"rediss://host?cert_file=/a&key_file=/b", "not a certificate and its key"},
		{"rediss://host?skip_verify=yes", "skip_verify must be true or false"},
		{"unix://run/redis.sock", "three slashes"},
		{"unix://", "no path of a socket"},
		{"redis://secret@host", "write :password@ for a password alone"},
		{"redis://user:se#cret@host", "%23"},
		{"redis://user:se/cret@host", "%2F"},
		{"redis://user:1/cret@host", "%2F"},
		{"redis://user:se%zzcret@host", "%25"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			target, err := redisurl.Parse(tt.raw)
			if err == nil {
				t.Fatalf("accepted as %v", target)
			}
			if !strings.HasPrefix(err.Error(), "redis URL: ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want %q", err, tt.want)
			}
		})
	}
}

func TestParseListsEveryProblem(t *testing.T) {
	_, err := redisurl.Parse("redis://host:0/x?pool_size=many&read_timeout=soon&ca_file=a")
	for _, want := range []string{"65535", "database", "pool_size", "read_timeout", "ca_file"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not speak of %s", err, want)
		}
	}
}

func TestOptions(t *testing.T) {
	single := open(t, "redis://u:p%3A@h:1/2?read_timeout=3&write_timeout=0&max_retries=-1&pool_fifo=1").(*redis.Client).Options()
	if single.Addr != "h:1" || single.DB != 2 || single.Username != "u" || single.Password != "p:" ||
		single.ReadTimeout != 3*time.Second || single.WriteTimeout != 0 || single.MaxRetries != 0 ||
		!single.PoolFIFO || !single.ContextTimeoutEnabled || single.TLSConfig != nil {
		t.Error("a parameter went astray")
	}
	socket := open(t, "unix:///run/redis.sock?db=5").(*redis.Client).Options()
	if socket.Network != "unix" || socket.Addr != "/run/redis.sock" || socket.DB != 5 {
		t.Errorf("got %s %s %d", socket.Network, socket.Addr, socket.DB)
	}
	secure := open(t, "rediss://h?server_name=s").(*redis.Client).Options()
	if secure.TLSConfig == nil || secure.TLSConfig.ServerName != "s" || secure.TLSConfig.InsecureSkipVerify {
		t.Error("TLS is not as asked for")
	}
	cluster := open(t, "redis-cluster://u:p@h1,h2").(*redis.ClusterClient).Options()
	if len(cluster.Addrs) != 2 || cluster.Password != "p" || !cluster.ContextTimeoutEnabled ||
		cluster.ClusterStateReloadInterval > 5*time.Second {
		t.Error("a cluster's option went astray")
	}
}

func open(t *testing.T, raw string) redis.UniversalClient {
	t.Helper()
	target, err := redisurl.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	c := target.NewClient()
	t.Cleanup(func() { _ = c.Close() })
	return c
}
