package testenv_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestMini(t *testing.T) {
	if err := testenv.Mini(t).Set(t.Context(), "k", 1, 0).Err(); err != nil {
		t.Error(err)
	}
}

func TestServers(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...string) *testenv.Server{
		"redis": testenv.Redis, "valkey": testenv.Valkey,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, "--maxmemory", "64mb")
			o, err := redis.ParseURL(s.URL())
			if err != nil || o.Addr != s.Addr() {
				t.Fatalf("URL %s: %v", s.URL(), err)
			}
			limit, err := s.Client(t).ConfigGet(t.Context(), "maxmemory").Result()
			if err != nil || limit["maxmemory"] != "67108864" {
				t.Errorf("maxmemory is %v, %v", limit, err)
			}
		})
	}
}

func TestFrozenServerAnswersAfterThaw(t *testing.T) {
	s := testenv.Redis(t)
	c := s.Client(t, func(o *redis.Options) { o.MaxRetries = -1 })
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	s.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := c.Ping(ctx).Err(); err == nil {
		t.Error("a frozen server answered")
	}
	s.Thaw()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Error(err)
	}
}

func TestRestart(t *testing.T) {
	tests := []struct {
		name    string
		args    []string
		restart func(*testenv.Server, testing.TB)
		want    string // of the key written last
	}{
		{"nothing kept", nil, (*testenv.Server).Restart, ""},
		{"append-only file", []string{"--appendonly", "yes", "--appendfsync", "always"}, (*testenv.Server).Restart, "2"},
		{"empty", []string{"--appendonly", "yes"}, (*testenv.Server).RestartEmpty, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testenv.Redis(t, tt.args...)
			set(t, s, "2")
			pid, addr := s.Process().PID(), s.Addr()
			tt.restart(s, t)
			if s.Addr() != addr || s.Process().PID() == pid {
				t.Errorf("it is the same process, or another address %s", s.Addr())
			}
			if got := get(t, s); got != tt.want {
				t.Errorf("after the restart %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRestartFromSnapshot(t *testing.T) {
	s := testenv.Redis(t)
	set(t, s, "1")
	old := s.Snapshot(t)
	set(t, s, "2")
	s.RestartFrom(t, old)
	if got := get(t, s); got != "1" {
		t.Errorf("after the restart %q, want the old value", got)
	}
	s.RestartEmpty(t)
	if got := get(t, s); got != "" {
		t.Errorf("after an empty restart %q", got)
	}
}

func set(t *testing.T, s *testenv.Server, value string) {
	t.Helper()
	if err := s.Client(t).Set(t.Context(), "k", value, 0).Err(); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s *testenv.Server) string {
	t.Helper()
	value, err := s.Client(t).Get(t.Context(), "k").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return value
}

func TestEachRedisFindsEmptyServers(t *testing.T) {
	for range 2 {
		testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
			if n, err := c.Incr(t.Context(), "k").Result(); n != 1 || err != nil {
				t.Errorf("the key was there before: %d, %v", n, err)
			}
		})
	}
}
