package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	tests := []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{1234 * time.Microsecond, "1ms"},
		{1234 * time.Millisecond, "1.2s"},
		{2*time.Minute + 10*time.Second, "2m 10s"},
		{5 * time.Minute, "5m"},
		{26*time.Hour + 3*time.Minute, "26h 3m"},
		{200 * time.Hour, "8 days"},
	}
	for _, tt := range tests {
		if got := span(tt.d).String(); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.d, got, tt.want)
		}
	}
}

// What users put into names and errors cannot write to the terminal or the table.
func TestTableIsOneLinePerRow(t *testing.T) {
	tab := table[string]{Rows: []string{"a\x1b[31m\nb\tc"}, head: []string{"NAME"}, cells: func(r string) []string { return []string{r} }}
	var out bytes.Buffer
	check(t, tab.write(&out, false))
	if got := out.String(); strings.Count(got, "\n") != 2 || strings.ContainsAny(got, "\x1b\t") {
		t.Errorf("%q", got)
	}
}

func TestPlotScale(t *testing.T) {
	tests := []struct{ n, want int }{{1, 1}, {2, 2}, {3, 5}, {6, 10}, {11, 20}, {51, 100}, {1001, 2000}}
	for _, tt := range tests {
		if got := nice(tt.n); got != tt.want {
			t.Errorf("%d: got %d, want %d", tt.n, got, tt.want)
		}
	}
	if got := path([]int{0, 10}, 10); got != "M280.0,63.0L300.0,1.0" {
		t.Errorf("two samples: %s", got)
	}
	if got := path([]int{1}, 10); got != "" {
		t.Errorf("one sample: %s", got)
	}
}
