package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestBench(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), strings.Fields("-layout wide63,41/10/12 -goroutines 1,3 -batch 1,16 -duration 20ms -json"), &out); err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(out.Bytes(), &results); err != nil || len(results) != 8 {
		t.Fatalf("%d results, %v:\n%s", len(results), err, &out)
	}
	for _, r := range results {
		if r.IDs == 0 || r.Limit < 4e6 {
			t.Errorf("%+v", r)
		}
	}
}

func TestDecode(t *testing.T) {
	tests := []struct{ args, want string }{
		{"199179108679722", "199179108679722  000uYeufgJm  0005N4W00A01A  2023-11-14T22:13:20.000Z  5       42"},
		{"-form base62 000uYeufgJm", "2023-11-14T22:13:20.000Z  5       42"},
		{"-form base32 -json 0005N4W00A01A", `"worker": 5`},
		{"-layout wide63 4194304", "2020-11-10T16:00:00.001Z  0       0"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var out bytes.Buffer
			if err := run(t.Context(), append([]string{"decode"}, strings.Fields(tt.args)...), &out); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), tt.want) {
				t.Errorf("no %q in\n%s", tt.want, &out)
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	tests := []struct{ args, want string }{
		{"-goroutines 0 -batch x", `-goroutines is "0"`},
		{"-goroutines 0 -batch x", `-batch is "x"`},
		{"-duration 0s", "-duration is 0s"},
		{"-duration -1s", "-duration is -1s"},
		{"-layout 41/10", "neither compat53"},
		{"-layout 41/10/12/3", "neither compat53"},
		{"-layout 41/20/12", "WorkerBits is 20"},
		{"more", `"more"`},
		{"decode", "no ID given"},
		{"decode -form roman XII", `-form is "roman"`},
		{"decode 12 x 9007199254740992", `"x" is not an ID`},
		{"decode 12 x 9007199254740992", "9007199254740992 does not fit"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			var out bytes.Buffer
			err := run(t.Context(), strings.Fields(tt.args), &out)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v does not say %s", err, tt.want)
			}
		})
	}
}
