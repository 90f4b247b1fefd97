package rawurl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/rawurl"
)

func TestSplit(t *testing.T) {
	parts, err := rawurl.Split("Redis://us%3Aer:p%40s:s@h1:1,h2/a%20b?x=1&y=%26")
	if err != nil {
		t.Fatal(err)
	}
	password, _ := parts.User.Password()
	got := fmt.Sprint(parts.Scheme, parts.User.Username(), password, parts.Hosts, parts.Path, parts.Query)
	want := fmt.Sprint("redis", "us:er", "p@s:s", []string{"h1:1", "h2"}, "/a b", map[string][]string{"x": {"1"}, "y": {"&"}})
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHostPort(t *testing.T) {
	tests := []struct{ host, want string }{
		{"h", "h:7"},
		{"h:1", "h:1"},
		{"127.0.0.1", "127.0.0.1:7"},
		{"[::1]", "[::1]:7"},
		{"[::1]:2", "[::1]:2"},
		{"::1", ""},
		{"h:1:2", ""},
		{"h:", ""},
		{"h:x", ""},
		{"h:0", ""},
		{"h:65536", ""},
		{"", ""},
		{":1", ""},
		{"[", ""},
		{"[]", ""},
		{"[::1", ""},
		{"h%20", ""},
		{"[h]", ""},
	}
	for _, tt := range tests {
		t.Run(tt.host, func(t *testing.T) {
			got, err := rawurl.HostPort(tt.host, 7)
			if got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"redis://u:p@h:1/0?a=b", "redis:/0", "://", "redis://%zz@h", "amqp://u:p@[::1]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		parts, err := rawurl.Split(raw)
		if err != nil {
			return
		}
		if parts.Scheme == "" || strings.ContainsAny(strings.Join(parts.Hosts, ""), "/?#") {
			t.Errorf("%q is %+v", raw, parts)
		}
		for _, host := range parts.Hosts {
			if addr, err := rawurl.HostPort(host, 1); err == nil && !strings.Contains(addr, ":") {
				t.Errorf("%q has the address %q", raw, addr)
			}
		}
	})
}
