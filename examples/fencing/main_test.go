package main

import (
	"bytes"
	"testing"
)

func TestRun(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), "", &out); err != nil {
		t.Fatal(err)
	}
	want := `first:  read 0 and falls asleep
second: has the lock, writes 1
first:  wakes up and writes 100
first:  stale: true lost: true
the account has 1
`
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", &out, want)
	}
}
