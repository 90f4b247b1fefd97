package redisconn_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/testenv"
)

func open(t *testing.T, p *redisconn.Pools, url string) *redisconn.Conn {
	t.Helper()
	c, err := p.Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestPoolsShareByURL(t *testing.T) {
	server := miniredis.RunT(t)
	p := redisconn.NewPools()
	url := "redis://" + server.Addr()
	first, second, other := open(t, p, url+"/0"), open(t, p, url+"/0"), open(t, p, url+"/1")
	if first.Client() != second.Client() || first.Client() == other.Client() {
		t.Fatal("not one client per URL")
	}
	for range 2 { // the second Close of one Conn is not a Close of the other
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := second.Client().Ping(t.Context()).Err(); err != nil {
		t.Errorf("after one of two was closed: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if err := second.Client().Ping(t.Context()).Err(); !errors.Is(err, redis.ErrClosed) {
		t.Errorf("after both were closed: %v", err)
	}
	if err := open(t, p, url+"/0").Client().Ping(t.Context()).Err(); err != nil {
		t.Errorf("opened again: %v", err)
	}
}

func TestPoolsAreSafeForConcurrentUse(t *testing.T) {
	p, url := redisconn.NewPools(), "redis://"+miniredis.RunT(t).Addr()
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 20 {
				c, err := p.Open(t.Context(), url)
				if err != nil {
					t.Error(err)
					return
				}
				if err := errors.Join(c.Client().Ping(t.Context()).Err(), c.Close()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestOpenRefuses(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireAuth("right")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	tests := []struct {
		name, url string
		want      string
		late      bool // it may pass by itself, so the whole ctx is used
	}{
		{"malformed", "redis:/0", "slash", false},
		{"wrong password", "redis://:secret@" + server.Addr(), "WRONGPASS", false},
		{"nobody there", "redis://:secret@127.0.0.1:1", "refused", true},
		{"no answer", "redis://:secret@" + silent.Addr().String(), "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			p := redisconn.NewPools()
			c, err := p.Open(ctx, tt.url)
			took := time.Since(start)
			if err == nil {
				t.Fatalf("opened %v", c)
			}
			if !strings.Contains(err.Error(), tt.want) || strings.Contains(fmt.Sprintf("%v %+v", err, p), "secret") {
				t.Errorf("got %v, want %q and no secret", err, tt.want)
			}
			if took > time.Second || tt.late != (took > 250*time.Millisecond) {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestConnHoldsNoSecret(t *testing.T) {
	server := miniredis.RunT(t)
	server.RequireAuth("MARKERSECRET")
	p := redisconn.NewPools()
	c := open(t, p, "redis://:MARKERSECRET@"+server.Addr()+"/2")
	if want := "redis://" + server.Addr() + "/2"; c.String() != want {
		t.Errorf("got %q, want %q", c, want)
	}
	if text := fmt.Sprintf("%v %+v %+v", c, *c, p); strings.Contains(text, "MARKERSECRET") {
		t.Errorf("the password is in %q", text)
	}
}

func TestOwnClientsHonourDeadlines(t *testing.T) {
	proxy := testenv.NewProxy(t, miniredis.RunT(t).Addr())
	c := open(t, redisconn.NewPools(), "redis://"+proxy.Addr())
	proxy.Hole(testenv.Both)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := c.Client().Ping(ctx).Err()
	if took := time.Since(start); err == nil || took > time.Second {
		t.Errorf("got %v after %v", err, took)
	}
}

func TestVersion(t *testing.T) {
	testenv.EachRedisAndMini(t, func(t *testing.T, c redis.UniversalClient) {
		if err := redisconn.CheckVersion(t.Context(), c); err != nil {
			t.Error(err)
		}
	})
}

// answering replies to INFO with text and leaves other commands alone.
type answering struct {
	text string
	err  error
}

func (a answering) DialHook(next redis.DialHook) redis.DialHook { return next }

func (a answering) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (a answering) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(_ context.Context, cmd redis.Cmder) error {
		cmd.(*redis.StringCmd).SetVal(a.text)
		return a.err
	}
}

func TestCheckVersion(t *testing.T) {
	tests := []struct {
		text string
		old  string // "" means accepted
	}{
		{"# Server\r\nredis_version:6.2.14\r\nredis_mode:standalone\r\n", "6.2.14"},
		{"# Server\r\nredis_version:7.0.0\r\n", ""},
		{"# Server\r\nredis_version:8.0.2\r\n", ""},
		{"# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\n", ""},
		{"# Server\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			c := redis.NewClient(&redis.Options{})
			defer c.Close()
			c.AddHook(answering{text: tt.text})
			err := redisconn.CheckVersion(t.Context(), c)
			old, ok := errors.AsType[*redisconn.OldServerError](err)
			if ok != (tt.old != "") || ok && old.Version != tt.old || !ok && err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
	away := errors.New("away")
	c := redis.NewClient(&redis.Options{})
	defer c.Close()
	c.AddHook(answering{err: away})
	if err := redisconn.CheckVersion(t.Context(), c); !errors.Is(err, away) {
		t.Errorf("got %v", err)
	}
}
