package amqpurl_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/amqpurl"
)

func TestParse(t *testing.T) {
	tests := []struct {
		raw    string
		text   string
		reveal string
	}{
		{"amqp://localhost", "amqp://localhost:5672/", "amqp://localhost:5672/"},
		{"amqp://guest:guest@localhost:5672/", "amqp://localhost:5672/", "amqp://guest:guest@localhost:5672/"},
		{"amqps://u:p%40%2F@[::1]/a%2Fb?heartbeat=5", "amqps://[::1]:5671/a%2Fb", "amqps://u:p%40%2F@[::1]:5671/a%2Fb?heartbeat=5"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			target, err := amqpurl.Parse(tt.raw)
			if err != nil {
				t.Fatal(err)
			}
			if target.String() != tt.text || target.Reveal() != tt.reveal {
				t.Errorf("got %q and %q, want %q and %q", target, target.Reveal(), tt.text, tt.reveal)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		raw  string
		want string // part of the error
	}{
		{"amqp:/u@h", "is a slash missing?"},
		{"amqp://", "no host"},
		{"amqp:///vhost", "no host"},
		{"amqp://u:p@/vhost", "no host"},
		{"amqp://h1,h2", "several hosts"},
		{"redis://host", "neither amqp nor amqps"},
		{"amqp://host:99999", "65535"},
		{"amqp://host?heartbeat=70000&x=1", "heartbeat must be a number between 0 and 65535; it has 1 unknown"},
		{"amqp://host?cacertfile=/a", "write amqps"},
		{"amqp://user:a/b@host", "%2F"},
	}
	for _, tt := range tests {
		t.Run(tt.raw, func(t *testing.T) {
			if _, err := amqpurl.Parse(tt.raw); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func FuzzSecret(f *testing.F) {
	const marker = "MARKERSECRET"
	for _, seed := range []string{"", "a/", "1?", "#", "%", "@"} {
		f.Add(seed, "@host/vhost")
	}
	f.Fuzz(func(t *testing.T, password, after string) {
		if _, err := amqpurl.Parse("amqp://user:" + password + marker + after); err != nil && strings.Contains(err.Error(), marker) {
			t.Errorf("the error repeats its input: %v", err)
		}
		target, err := amqpurl.Parse("amqp://user:" + url.QueryEscape(password+marker) + "@host/vhost")
		if err != nil {
			t.Fatal(err)
		}
		asJSON, err := json.Marshal(map[string]any{"target": target})
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%v %+v %#v %s", target, *target, target, asJSON); strings.Contains(text, marker) {
			t.Errorf("the password is in %q", text)
		}
	})
}
