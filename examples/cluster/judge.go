package main

import (
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
	Redis   string             `json:"redis"`
	Killed  string             `json:"killed"`
	Seconds float64            `json:"seconds"`
	Kept    bool               `json:"kept"` // by all parts
	Parts   map[string]Verdict `json:"parts"`
}

// judge lets every part judge and writes what they say to out. It fails if a part
// did not keep its promise.
func (s *show) judge(out io.Writer) error {
	sum := summary{
		Nodes: s.options.nodes, Redis: s.stage.name, Killed: s.victim.name, Kept: true,
		Seconds: time.Since(s.board.begun).Seconds(), Parts: map[string]Verdict{},
	}
	var text strings.Builder
	var broken []error
	fmt.Fprintln(&text)
	for _, part := range parts() {
		v := part.Judge(Record{Nodes: s.options.nodes, Dir: s.dir, Reports: s.reports[part.Name]})
		sum.Parts[part.Name] = v
		word := "kept"
		if !v.Kept {
			word, sum.Kept = "BROKEN", false
			broken = append(broken, errors.New(part.Name+" broke its promise: "+v.Text))
		}
		fmt.Fprintf(&text, "%-8s %-7s %s\n", part.Name, word, v.Text)
	}
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
