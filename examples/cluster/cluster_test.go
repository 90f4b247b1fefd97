package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cohort-go/cohort"
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

// TestShow runs the show by nothing but variables.
func TestShow(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { play(t, 3) })
	t.Run("redis", func(t *testing.T) {
		server := testenv.Redis(t)
		play(t, 8, redisVariable, server.URL())
		if left := server.Client(t).DBSize(t.Context()).Val(); left != 0 {
			t.Errorf("%d keys are left", left)
		}
	})
	t.Run("redis cluster", func(t *testing.T) {
		play(t, 8, redisVariable, testenv.RedisCluster(t).URL())
	})
	t.Run("redis and rabbitmq", func(t *testing.T) {
		play(t, 3, redisVariable, testenv.Redis(t).URL(), "QUEUE_ADAPTER", "rabbitmq", "RABBITMQ_URL", testenv.RabbitMQ(t).URL())
	})
	t.Run("sentinel", func(t *testing.T) { play(t, 3, redisVariable, testenv.Sentinel(t).URL()) })
	t.Run("five databases", func(t *testing.T) {
		url := strings.TrimSuffix(testenv.Redis(t).URL(), "/0")
		got := play(t, 3, // as the reference's documentation has it
			cacheVariable, "redis", "CACHE_REDIS_URL", url+"/0",
			"PUBSUB_ADAPTER_REDIS_URL", url+"/1",
			lockVariable, "redis", "LOCK_ADAPTER_REDIS_URL", url+"/2",
			queueVariable, "redis", "QUEUE_ADAPTER_REDIS_URL", url+"/3",
			redisVariable, url+"/4")
		for i, area := range []string{"workerid 4", "lock 2", "pubsub 1", "cache 0", "queue 3"} {
			name, db, _ := strings.Cut(area, " ")
			if want := name + " on redis " + url + "/" + db; got.Stage[i] != want {
				t.Errorf("%q, want %q", got.Stage[i], want)
			}
		}
	})
}

// setVariables sets the variables of package cohort to pairs NAME, value and no other.
func setVariables(t *testing.T, pairs ...string) {
	t.Helper()
	for _, v := range cohort.Variables() {
		t.Setenv(v.Name, "")
	}
	for i := 0; i < len(pairs); i += 2 {
		t.Setenv(pairs[i], pairs[i+1])
	}
}

// play runs the whole show, and looks at its summary.
func play(t *testing.T, nodes int, pairs ...string) summary {
	t.Helper()
	setVariables(t, append(pairs, clusterVariable, strconv.Itoa(nodes))...)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := runShow(ctx, []string{"-ids", "100000", "-json"}, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	var got summary
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v:\n%s", err, &out)
	}
	t.Logf("%d nodes in %.1fs:\n%s", got.Nodes, got.Seconds, got.text())
	for figure, want := range map[string]float64{
		"ids processes": float64(nodes + 1), "ids duplicates": 0,
		"lock shared": 0, "lock lost": 0, "queue lost": 0, "queue done": float64(nodes * jobsPerNode),
		"signals complete": float64(nodes), "signals wrong": 0, "cache older": 0, "keys astray": 0,
	} {
		part, name, _ := strings.Cut(figure, " ")
		if got.Parts[part].Figures[name] != want {
			t.Errorf("%s is %v, want %v", figure, got.Parts[part].Figures[name], want)
		}
	}
	if made := got.Parts["ids"].Figures["ids"]; made != 100_000.0 {
		t.Errorf("%v IDs, want 100000", made)
	}
	if refused, _ := got.Parts["lock"].Figures["refused"].(float64); got.Frozen != "node-1" || refused == 0 {
		t.Errorf("frozen: %q, writes refused after that: %v", got.Frozen, refused)
	}
	return got
}

// text is what the parts said.
func (s summary) text() (lines string) {
	for _, name := range slices.Sorted(maps.Keys(s.Parts)) {
		lines += fmt.Sprintf("%-8s %s\n", name, s.Parts[name].Text)
	}
	return lines
}

// TestShowRefuses: everything that is wrong with the variables is named before
// anything starts, as is an area that nodes would keep apart.
func TestShowRefuses(t *testing.T) {
	setVariables(t, queueVariable, "memory", "PUBSUB_ADAPTER", "memory", clusterVariable, "many", "WORKER_ID_MAX", "x")
	err := runShow(t.Context(), nil, io.Discard)
	for _, want := range []string{clusterVariable + ": ", "WORKER_ID_MAX: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	setVariables(t, queueVariable, "memory", "PUBSUB_ADAPTER", "memory")
	err = runShow(t.Context(), nil, io.Discard)
	for _, want := range []string{queueVariable + ": ", "PUBSUB_ADAPTER: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

func TestShowEndsWithItsContext(t *testing.T) {
	setVariables(t)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	begin := time.Now()
	err := runShow(ctx, []string{"-ids", "100000000"}, io.Discard)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 30*time.Second {
		t.Errorf("it ended after %v: %v", time.Since(begin), err)
	}
}

// TestSpans: times in which two nodes had the lock are found.
func TestSpans(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a.spans": `{"From":10,"Until":20}{"From":40,"Until":50}`,
		"b.spans": `{"From":20,"Until":30}{"From":45,"Until":60}{"From":70,"Un`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if all, shared, err := readSpans(dir); all != 4 || shared != 1 || err != nil {
		t.Errorf("%d spans, %d shared, %v; want 4 and 1", all, shared, err)
	}
}

func TestOptions(t *testing.T) {
	_, err := parseOptions([]string{"-nodes", "32", "-ids", "0", "-layout", "uuid", "more"}, func(string) string { return "" })
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
