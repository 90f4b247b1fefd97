package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Main(m, map[string]func(args []string){"service": child})
}

// child is the program with the URL of Redis as its first argument.
func child(args []string) {
	env := map[string]string{
		"CLUSTER_MODE":         "3",
		"REDIS_URL":            args[0],
		"CACHE_DEFAULT_STORE":  "redis",
		"LOCK_ADAPTER_DEFAULT": "redis",
		"QUEUE_ADAPTER":        "redis",
	}
	if err := run(context.Background(), args[1:], func(name string) string { return env[name] }); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// readConf returns a configuration of this folder with its addresses replaced.
func readConf(t *testing.T, name string, replace ...string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(text), replace[i]) {
			t.Fatalf("%s lacks %q", name, replace[i])
		}
	}
	return strings.NewReplacer(replace...).Replace(string(text))
}
