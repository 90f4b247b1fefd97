package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// summary is what -json writes.
type summary struct {
	Nodes   int                `json:"nodes"`
	Stage   []string           `json:"stage"` // where the areas are
	Killed  string             `json:"killed"`
	Frozen  string             `json:"frozen,omitempty"`
	Seconds float64            `json:"seconds"`
	Kept    bool               `json:"kept"` // by all parts
	Parts   map[string]Verdict `json:"parts"`
}

// judge lets every part judge and writes what they say to out. It fails if a part
// did not keep its promise.
func (s *show) judge(ctx context.Context, out io.Writer) error {
	sum := summary{
		Nodes: s.options.nodes, Stage: s.stage.areas, Killed: s.victim.name, Frozen: s.frozen, Kept: true,
		Seconds: time.Since(s.board.begun).Seconds(), Parts: map[string]Verdict{},
	}
	var text strings.Builder
	var broken []error
	fmt.Fprintln(&text)
	note := func(name string, v Verdict) {
		sum.Parts[name] = v
		word := "kept"
		if !v.Kept {
			word, sum.Kept = "BROKEN", false
			broken = append(broken, errors.New(name+" broke its promise: "+v.Text))
		}
		fmt.Fprintf(&text, "%-8s %-7s %s\n", name, word, v.Text)
	}
	for _, part := range parts() {
		note(part.Name, part.Judge(Record{Nodes: s.options.nodes, Dir: s.dir, Reports: s.reports[part.Name]}))
	}
	note("keys", s.stage.judgeKeys(ctx))
	var err error
	if s.json {
		lines := json.NewEncoder(out)
		lines.SetIndent("", "  ")
		err = lines.Encode(sum)
	} else {
		_, err = io.WriteString(out, text.String())
	}
	return errors.Join(append(broken, err)...)
}
