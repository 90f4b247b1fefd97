package main

import (
	"cmp"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// A span is a time in which a node was sure to hold the lock, in nanoseconds by the
// clock that all nodes of this machine share: from the grant to the end of its work,
// or to the end of its lease if that came first.
type span struct{ From, Until int64 }

func (s span) write(out io.Writer) error { return json.NewEncoder(out).Encode(s) }

// readSpans counts the spans that all lives wrote down, and those that begin before
// another has ended.
func readSpans(dir string) (all, shared int, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.spans"))
	if err != nil {
		return 0, 0, err
	}
	var spans []span
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return 0, 0, err
		}
		for lines := json.NewDecoder(f); ; {
			var s span
			if lines.Decode(&s) != nil {
				break // its end, or a line that a kill cut off
			}
			spans = append(spans, s)
		}
		if err := f.Close(); err != nil {
			return 0, 0, err
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.From, b.From) })
	var end int64
	for _, s := range spans {
		if s.From < end {
			shared++
		}
		end = max(end, s.Until)
	}
	return len(spans), shared, nil
}
