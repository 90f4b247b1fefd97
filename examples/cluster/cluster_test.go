package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

// TestMain lets the test binary be a node of the show.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == nodeCommand {
		if err := runNode(context.Background(), os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestShow(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { play(t, "") })
	t.Run("redis", func(t *testing.T) {
		server := testenv.Redis(t)
		play(t, server.URL())
		if left := server.Client(t).DBSize(t.Context()).Val(); left != 0 {
			t.Errorf("%d keys are left", left)
		}
	})
	t.Run("redis cluster", func(t *testing.T) { play(t, testenv.RedisCluster(t).URL()) })
	t.Run("sentinel", func(t *testing.T) { play(t, testenv.Sentinel(t).URL()) })
}

// play runs the whole show and looks at its summary.
func play(t *testing.T, url string) {
	t.Helper()
	t.Setenv(redisVariable, url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := runShow(ctx, []string{"-nodes", "3", "-ids", "100000", "-json"}, &out); err != nil {
		t.Fatal(err)
	}
	var got summary
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v:\n%s", err, &out)
	}
	ids := got.Parts["ids"].Figures
	if !got.Kept || ids["ids"] != 100000.0 || ids["processes"] != 4.0 || ids["duplicates"] != 0.0 {
		t.Errorf("got %s", &out)
	}
}

func TestShowEndsWithItsContext(t *testing.T) {
	t.Setenv(redisVariable, "")
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := runShow(ctx, []string{"-ids", "100000000"}, io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 5*time.Second {
		t.Errorf("it ended after %v: %v", time.Since(begin), err)
	}
}

func TestOptions(t *testing.T) {
	_, err := parseOptions([]string{"-nodes", "32", "-ids", "0", "-layout", "uuid", "more"})
	for _, want := range []string{"-nodes is 32", "-ids is 0", `-layout is "uuid"`, `"more"`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %s", err, want)
		}
	}
}

func TestBoard(t *testing.T) {
	var plain, screen bytes.Buffer
	p := &process{name: "node-1", pid: 7, holds: 3, shows: map[string]string{"ids": "12 IDs"}, done: map[string]float64{"ids": 0.5}}
	b := newBoard(&plain)
	b.draw([]*process{p})
	if got := plain.String(); !strings.HasSuffix(got, "  node-1 number 3 · 12 IDs\n") {
		t.Errorf("plain: %q", got)
	}
	b = newBoard(&screen)
	b.terminal = true
	b.draw([]*process{p})
	b.notef("news")
	if got := screen.String(); !strings.Contains(got, "██████████░░░░░░░░░░  number 3 · 12 IDs\n\x1b[2A\x1b[J") || !strings.HasSuffix(got, "news\n") {
		t.Errorf("terminal: %q", got)
	}
}
