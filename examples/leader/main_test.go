package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"testing"
	"time"
)

// TestMain lets the test binary be a candidate.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == candidateCommand {
		err := candidate(context.Background(), os.Args[2], os.Args[3], os.Stdin, os.Stdout)
		if err != nil && !errors.Is(err, context.Canceled) {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestElection(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out bytes.Buffer
	if err := election(ctx, "", &out); err != nil {
		t.Fatal(err)
	}
	want := regexp.MustCompile(`^(alpha|beta) leads\n(alpha|beta) is killed\n(alpha|beta) leads after .*, with a larger term: true\n$`)
	if !want.MatchString(out.String()) {
		t.Errorf("got:\n%s", &out)
	}
}
