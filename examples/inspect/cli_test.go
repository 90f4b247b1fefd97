package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/pubsub"
)

var update = flag.Bool("update", false, "write the golden files")

// What differs from run to run, and what stands for it.
var varying = []struct{ pattern, stands string }{
	{`("\w+_seconds(_ago)?"): [0-9.]+`, `$1: SECONDS`},
	{`"died": "[^"]+"`, `"died": "TIME"`},
	{`\b\d+m \d+s\b|\b\d+h \d+m\b|\b\d+(\.\d+)?(ms|s)\b`, `SPAN`},
	{`\b\d{15,}\b`, `FENCE`},
	{`"holder": "[A-Za-z0-9_-]{12}"`, `"holder": "PROCESS"`},
	{`(rebuild-index|checkout/42) +\S{12} `, `${1} PROCESS `},
	{`[\w.-]+-[0-9a-f]{16}\b`, `NODE`},
	{`[\w.-]+-receive-\d+`, `RECEIVER`},
}

func steady(out string) string {
	host, _ := os.Hostname()
	out = regexp.MustCompile(`\b`+regexp.QuoteMeta(host)+`/\d+`).ReplaceAllString(out, "HOST")
	for _, v := range varying {
		out = regexp.MustCompile(v.pattern).ReplaceAllString(out, v.stands)
	}
	return regexp.MustCompile(`(\S)  +`).ReplaceAllString(out, "$1  ")
}

func inspect(t *testing.T, c *clusterAt, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := run(t.Context(), args, c.env, &out)
	return out.String(), err
}

func TestCommands(t *testing.T) {
	c := startCluster(t)
	for _, word := range []string{"queues", "dead", "locks", "workers", "streams", "cache"} {
		for _, args := range [][]string{{word}, {word, "-json"}} {
			name := strings.Join(args, "")
			t.Run(name, func(t *testing.T) {
				out, err := inspect(t, c, args...)
				check(t, err)
				golden(t, name, steady(out))
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		check(t, os.MkdirAll("testdata", 0o755))
		check(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	check(t, err)
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func TestChanges(t *testing.T) {
	c := startCluster(t)
	refused := [][]string{
		{"redrive", "mails"}, {"purge", "mails", "-state", "dead"}, {"pause", "mails"}, {"resume", "reports"},
	}
	for _, args := range refused {
		if _, err := inspect(t, c, args...); !errors.Is(err, errReadOnly) {
			t.Errorf("%v without -write: %v", args, err)
		}
	}
	if st := c.stats(t, "mails"); st.Dead != 3 || st.ReadyTotal() != 20 || !st.PausedUntil.IsZero() {
		t.Fatalf("refused commands changed something: %+v", st)
	}
	dead, err := inspect(t, c, "dead")
	check(t, err)
	id := strings.Fields(strings.Split(dead, "\n")[1])[1]
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"redrive", "mails", "-id", id}, "mails: 1 message is ready again\n"},
		{[]string{"redrive", "mails"}, "mails: 2 messages are ready again\n"},
		{[]string{"pause", "mails", "-for", "10m"}, "mails: paused\n"},
		{[]string{"resume", "mails"}, "mails: resumed\n"},
		{[]string{"purge", "mails", "-state", "ready"}, "mails: 23 ready messages are removed for good\n"},
	}
	for _, tt := range tests {
		out, err := inspect(t, c, append(tt.args, "-write")...)
		if err != nil || out != tt.want {
			t.Errorf("%v: %q, %v, want %q", tt.args, out, err, tt.want)
		}
	}
	if st := c.stats(t, "mails"); st.Dead != 0 || st.ReadyTotal() != 0 || st.Delayed != 5 || !st.PausedUntil.IsZero() {
		t.Errorf("in the end: %+v", st)
	}
}

func TestRefusals(t *testing.T) {
	c := startCluster(t)
	for _, tt := range []struct {
		args string
		want string
	}{
		{"", "want one of"},
		{"everything", "want one of"},
		{"-write destroy mails", "want one of"},
		{"-write redrive nothing", `no queue "nothing"`},
		{"-write redrive mails -id zzz", "message id"},
		{"-write purge mails", `-state is ""`},
		{"-write purge mails -state flying", `-state is "flying"`},
		{"queues -limit 0", "-limit is 0"},
		{"redrive mails now please", "too many words"},
	} {
		_, err := inspect(t, c, strings.Fields(tt.args)...)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.want)
		}
	}
}

// lag names who has handled everything and who has not.
func TestLag(t *testing.T) {
	c := startCluster(t)
	if _, err := inspect(t, c, "lag"); !errors.Is(err, errReadOnly) {
		t.Errorf("without -write: %v", err)
	}
	out, err := inspect(t, c, "lag", "-write")
	check(t, err)
	if got := steady(out); got != "up to date after SPAN: NODE\n" {
		t.Errorf("nobody is busy: %q", got)
	}
	busy, done := make(chan struct{}), make(chan struct{})
	t.Cleanup(func() { close(done) })
	_, err = c.node.PubSub().Subscribe(t.Context(), "slow", func(context.Context, *pubsub.Delivery) error {
		close(busy)
		<-done
		return nil
	}, pubsub.SubscribeOptions{})
	check(t, err)
	_, err = c.node.PubSub().Publish(t.Context(), pubsub.Message{Channel: "slow"})
	check(t, err)
	<-busy
	out, err = inspect(t, c, "lag", "-write")
	check(t, err)
	if got := steady(out); got != "up to date after SPAN: none\nmore than SPAN behind: NODE\n" {
		t.Errorf("one is busy: %q", got)
	}
}

// A cluster in memory cannot be seen, and says so.
func TestMemory(t *testing.T) {
	c := &clusterAt{env: func(string) string { return "" }}
	for _, word := range []string{"queues", "dead", "locks", "workers", "streams", "cache"} {
		if out, err := inspect(t, c, word); err != nil || !strings.Contains(out, "which only it can see") {
			t.Errorf("%s: %q, %v", word, out, err)
		}
	}
}

// A server that is away is an error in time that shows no password.
func TestUnreachable(t *testing.T) {
	c := &clusterAt{env: func(name string) string {
		return map[string]string{"REDIS_URL": "redis://u:" + marker + "@127.0.0.1:1/0", "QUEUE_ADAPTER": "redis"}[name]
	}}
	if out, err := inspect(t, c, "queues"); err == nil || strings.Contains(out+err.Error(), marker) {
		t.Errorf("%q, %v", out, err)
	}
}
