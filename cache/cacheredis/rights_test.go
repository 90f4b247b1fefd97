package cacheredis_test

import (
	"bufio"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/cacheredis"
	"github.com/cohort-go/cohort/cache/cachetest"
	"github.com/cohort-go/cohort/internal/testenv"
)

// connecting are commands of every client of go-redis, not of this package.
var connecting = []string{"hello", "client", "auth", "ping", "select", "echo"}

// TestRights runs everything as a user who has the documented rights, and no other:
// also the proof that no KEYS, FLUSHDB or FLUSHALL is sent, and no key of others
// touched. No right is superfluous.
func TestRights(t *testing.T) {
	lists := testenv.DocumentedRights(t, "doc.go", "app")
	for i, tt := range []struct {
		name string
		run  func(t *testing.T, c redis.UniversalClient)
	}{{"Store", storeSuite}, {"Structures", structureSuites}} {
		t.Run(tt.name, func(t *testing.T) {
			srv := testenv.Redis(t)
			tt.run(t, srv.Restricted(t, lists[i]))
			srv.AllUsed(t, lists[i])
		})
	}
}

// storeSuite runs the suite of the cache, each case on an empty namespace.
func storeSuite(t *testing.T, c redis.UniversalClient) {
	cachetest.Run(t, func(t *testing.T) cachetest.Backend {
		o := cacheredis.Options{Namespace: "app"}
		s := newStore(t, c, o)
		if err := s.Purge(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		for key, err := range s.Keys(t.Context(), "") {
			if err == nil {
				_, err = s.Delete(t.Context(), key)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		return cachetest.Backend{Node: func(tb cachetest.TB) cache.Store { return newStore(tb, c, o) }, Slack: slack}
	})
	s := newStore(t, c, cacheredis.Options{Namespace: "app"})
	for _, ttl := range []time.Duration{time.Hour, cache.Forever} { // a tag that is to stay for ever
		w := cache.Write{Key: "k", WriteOptions: cache.WriteOptions{TTL: ttl, Tags: []string{"tag"}}}
		if _, err := s.Set(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
}

func structureSuites(t *testing.T, c redis.UniversalClient) {
	o := cacheredis.StructureOptions{Namespace: "app"}
	cachetest.RunBloom(t, func(t *testing.T) cache.Bloom { return must[*cacheredis.Bloom](t)(cacheredis.NewBloom(c, o)) })
	cachetest.RunCounter(t, func(t *testing.T) cache.Counter { return must[*cacheredis.Counter](t)(cacheredis.NewCounter(c, o)) })
	cachetest.RunLimiter(t, func(t *testing.T, r cache.Rate) cache.Limiter {
		return must[*cacheredis.Limiter](t)(cacheredis.NewLimiter(c, r, o))
	})
}

// TestTLS: calls and the listener's own connection go over TLS with a client's
// certificate, as the borrowed client does.
func TestTLS(t *testing.T) {
	files := testenv.NewCertificates(t)
	srv := testenv.RedisTLS(t, files, true)
	admin := srv.Client(t)
	client := srv.Client(t, func(o *redis.Options) { o.Addr, o.TLSConfig = srv.TLSAddr(), files.Config(t, true) })
	a := newNode(t, client, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	b := newNode(t, client, cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	a.set(t, "k", "old")
	b.warm(t, "k")
	a.set(t, "k", "new")
	waitFor(t, "the change on the other node", func() bool { return b.get(t, "k") == "new" })
	plain := strings.Split(strings.TrimSpace(admin.ClientList(t.Context()).Val()), "\n")
	plain = slices.DeleteFunc(plain, func(line string) bool { return !strings.Contains(line, "laddr="+srv.Addr()) })
	if len(plain) != 1 { // the admin's own
		t.Errorf("connections without TLS:\n%s", strings.Join(plain, "\n"))
	}
}

// TestMonitor: what a server sees of clients, while entries, tags and prefixes with
// all characters of patterns come and go, is on the list of rights.
func TestMonitor(t *testing.T) {
	srv := testenv.Redis(t)
	conn := must[net.Conn](t)(net.Dial("tcp", srv.Addr()))
	defer conn.Close()
	seen := bufio.NewScanner(conn)
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil || !seen.Scan() || seen.Text() != "+OK" {
		t.Fatalf("MONITOR: %v, %q", err, seen.Text())
	}
	a := newNode(t, srv.Client(t), cacheredis.Options{}, cache.Policy{}, cache.Bypass)
	ctx := t.Context()
	for _, key := range []string{"*", "?", "[a-z]", "{k}", "a:b", "with space", "plain"} {
		a.set(t, key, "v")
		if got := a.get(t, key); got != "v" {
			t.Errorf("%q reads %q", key, got)
		}
	}
	if n, err := a.Delete(ctx, "*"); n != 1 || err != nil || a.get(t, "?") != "v" {
		t.Errorf("Delete of %q removed %d, %v", "*", n, err)
	}
	if err := a.Cache().InvalidateTags(ctx, "*"); err != nil || a.get(t, "plain") != "v" {
		t.Errorf("InvalidateTags of %q: %v", "*", err)
	}
	if err := a.Cache().Clear(ctx); err != nil {
		t.Error(err)
	}
	for key, err := range a.Cache().Keys(ctx) {
		t.Errorf("after Clear: %q, %v", key, err)
	}
	srv.Client(t).Echo(ctx, "the end")
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	allowed := append(testenv.DocumentedRights(t, "doc.go", "app")[0].Commands(), connecting...)
	lines := 0
	for seen.Scan() {
		line := seen.Text()
		if strings.Contains(line, `"the end"`) {
			break
		}
		lines++
		if command, ok := commandOf(line); ok && !slices.Contains(allowed, command) {
			t.Errorf("sent: %s", line)
		}
	}
	if lines < 20 {
		t.Errorf("only %d lines were seen", lines)
	}
}

// commandOf is the command of a line of MONITOR, the first text in quotes.
func commandOf(line string) (command string, ok bool) {
	fields := strings.SplitN(line, `"`, 3)
	if len(fields) < 3 {
		return "", false
	}
	return strings.ToLower(fields[1]), true
}
