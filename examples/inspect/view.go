package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// view is the answer to one look: a table for people, or JSON for programs.
type view interface {
	write(out io.Writer, asJSON bool) error
}

// table is a view of rows.
type table[T any] struct {
	Note string `json:"note,omitempty"` // what cannot be seen, and why
	Rows []T    `json:"rows"`

	head  []string
	cells func(row T) []string
}

func (t table[T]) write(out io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(t)
	}
	if t.Note != "" {
		fmt.Fprintln(out, t.Note)
	}
	if len(t.Rows) == 0 {
		if t.Note == "" {
			fmt.Fprintln(out, "none")
		}
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(t.head, "\t"))
	for _, row := range t.Rows {
		cells := t.cells(row)
		for i := range cells {
			cells[i] = line(cells[i])
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

// line is text that stays on its line and changes nothing on a terminal.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
	if s == "" {
		return "-"
	}
	return s
}

// A span is a length of time: seconds in JSON, two units at most for people.
type span time.Duration

// MarshalJSON implements json.Marshaler.
func (s span) MarshalJSON() ([]byte, error) { //nolint:unparam // the interface has an error
	return fmt.Appendf(nil, "%.3f", time.Duration(s).Seconds()), nil
}

// String implements fmt.Stringer.
func (s span) String() string {
	d := time.Duration(s)
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour && d.Round(time.Second)%time.Minute == 0:
		return fmt.Sprintf("%dm", int(d.Round(time.Second).Minutes()))
	case d < time.Hour:
		return fmt.Sprintf("%dm %ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh %dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
