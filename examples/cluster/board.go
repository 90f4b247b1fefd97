package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// A board shows the nodes: on a terminal as a table that is drawn anew in its
// place, with the notes above it; elsewhere as a line a second.
type board struct {
	out      io.Writer
	terminal bool
	begun    time.Time
	drawn    time.Time
	lines    int // of the table on the screen
}

func newBoard(out io.Writer) *board {
	b := &board{out: out, begun: time.Now()}
	if file, ok := out.(*os.File); ok {
		info, err := file.Stat()
		b.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
	}
	return b
}

// notef writes one line that stays.
func (b *board) notef(format string, args ...any) {
	b.erase()
	fmt.Fprintf(b.out, "%6.2fs  %s\n", time.Since(b.begun).Seconds(), fmt.Sprintf(format, args...))
}

// draw shows the state of the nodes.
func (b *board) draw(nodes []*process) {
	if b.terminal {
		b.erase()
		b.lines = len(nodes) + 1
		fmt.Fprintln(b.out)
		for _, p := range nodes {
			fmt.Fprintf(b.out, "  %-8s %s  %s\n", p.name, bar(p.progress()), status(p))
		}
		return
	}
	if time.Since(b.drawn) < time.Second {
		return
	}
	b.drawn = time.Now()
	cells := make([]string, len(nodes))
	for i, p := range nodes {
		cells[i] = p.name + " " + status(p)
	}
	b.notef("%s", strings.Join(cells, " | "))
}

// erase takes the table from the screen.
func (b *board) erase() {
	if b.lines > 0 {
		fmt.Fprintf(b.out, "\x1b[%dA\x1b[J", b.lines)
		b.lines = 0
	}
}

// status is what a process does, in one line.
func status(p *process) string {
	switch {
	case p.pid == 0 && p.killed:
		return "dead"
	case p.holds < 0:
		return "starting"
	}
	cells := []string{fmt.Sprintf("number %d", p.holds)}
	for _, part := range parts() {
		if text := p.shows[part.Name]; text != "" {
			cells = append(cells, text)
		}
	}
	return strings.Join(cells, " · ")
}

// bar draws done, from 0 to 1.
func bar(done float64) string {
	const width = 20
	full := int(done * width)
	return strings.Repeat("█", full) + strings.Repeat("░", width-full)
}

// grouped writes n with commas.
func grouped(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
