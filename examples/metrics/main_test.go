package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestPage reads the page as Prometheus does, until it has all names of
// testdata/metrics.txt.
func TestPage(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, listener, func(string) string { return "" }) }()
	raw, err := os.ReadFile("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(string(raw))
	deadline := time.Now().Add(30 * time.Second)
	for missing := want; len(missing) > 0; {
		got := names(t, "http://"+listener.Addr().String()+"/metrics")
		missing = slices.DeleteFunc(slices.Clone(want), func(name string) bool { return slices.Contains(got, name) })
		if time.Now().After(deadline) {
			t.Fatalf("missing on the page: %v", missing)
		}
	}
	end()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// names returns the areas' metrics on a page.
func names(t *testing.T, url string) (found []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE ((?:cohort|messaging)_\S+)`).FindAllSubmatch(page, -1) {
		found = append(found, string(m[1]))
	}
	return found
}
