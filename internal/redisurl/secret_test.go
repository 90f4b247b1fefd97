package redisurl_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/redisurl"
)

const marker = "MARKERSECRET"

// FuzzSecretInErrors puts a password into whatever text; no error may repeat it.
func FuzzSecretInErrors(f *testing.F) {
	for _, seed := range [][2]string{
		{"redis://user:", "@host:6379/0"},
		{"redis://user:a/", "@host"},
		{"redis://user:1?", "@host"},
		{"redis://user:a#", "@host"},
		{"redis:/", "@host"},
		{"redis:", "@host"},
		{"", ""},
		{"redis://", "@h"},
		{"redis://host/", ""},
		{"redis://host?", "=1"},
		{"redis://host?password=", ""},
		{"redis://u:%", "@h"},
		{"rediss://host?ca_file=/", ""},
		{"redis://u:1,", "@h"},
		{"redis-sentinel://h/0?sentinel_password=", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		if _, err := redisurl.Parse(before + marker + after); err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("the error repeats its input: %v", err)
		}
	})
}

// FuzzSecretInTarget hides a password in well-formed URLs; nothing that can be
// printed of the result may hold it.
func FuzzSecretInTarget(f *testing.F) {
	f.Add("redis", "p@ss:/?#%", "host:6379")
	f.Add("rediss-sentinel", "", "h1,h2")
	f.Add("redis-cluster", "%2F", "[::1]:7000")
	f.Fuzz(func(t *testing.T, scheme, password, hosts string) {
		if strings.ContainsAny(hosts, "/?#@") {
			t.Skip()
		}
		secret := url.QueryEscape(password + marker)
		raw := scheme + "://user:" + secret + "@" + hosts
		if strings.HasSuffix(scheme, "-sentinel") {
			raw += "/0?master_name=m&sentinel_password=" + secret
		}
		target, err := redisurl.Parse(raw)
		if err != nil {
			return
		}
		asJSON, err := json.Marshal(map[string]any{"target": target})
		if err != nil {
			t.Fatal(err)
		}
		c := target.NewClient()
		defer c.Close()
		for _, text := range []string{
			target.String(), string(asJSON),
			fmt.Sprintf("%v %+v %#v %s %q", target, target, target, target, target),
			fmt.Sprintf("%v %+v %#v", *target, *target, *target),
		} {
			if strings.Contains(text, marker) {
				t.Errorf("the password is in %q", text)
			}
		}
	})
}

// FuzzParse looks for inputs that are accepted and then do not work.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"redis://localhost:6379/0?pool_size=10&read_timeout=3s", "unix:///run/redis.sock?db=1",
		"redis-cluster://h1:1,h2:2?max_redirects=3", "redis-sentinel://h/0?master_name=m",
		"redis://h?pipeline_pool_size=-1&protocol=2&max_idle_conns=1&conn_max_lifetime_jitter=1h",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if strings.Contains(raw, "_conns") || strings.Contains(raw, "size") {
			t.Skip() // would only measure the machine's memory
		}
		target, err := redisurl.Parse(raw)
		if err != nil {
			return
		}
		if err := target.NewClient().Close(); err != nil {
			t.Fatal(err)
		}
		again, err := redisurl.Parse(target.String())
		if err != nil || again.String() != target.String() {
			t.Fatalf("%q is %q, which is %v, %v", raw, target, again, err)
		}
	})
}
