package pubsub

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Position is a place in the order of messages: for each bus, the last message
// before it. The zero Position is the place before all messages. Its text form
// ([Position.String], [ParsePosition], and JSON) crosses nodes: a node that
// wrote hands its receipt's position to another, which waits for it.
type Position struct {
	marks []busMark // sorted by bus
}

type busMark struct {
	Mark

	bus int
}

// ID is the ID that the server gave an entry.
type ID struct{ Ms, Seq uint64 }

// Mark is a place on one bus.
type Mark struct {
	// Base identifies the bus' log: the ordinal before its first entry. 0 if not
	// known.
	Base int64
	// N is the ordinal of the last entry before the place. Ordinals of a bus only
	// grow, also from one log to the next.
	N int64
	// ID is the ID of that entry, zero if there is none.
	ID ID
	// Run identifies the run of the server that was last asked, which ends when it
	// restarts or another takes over. Empty if none was asked.
	Run string
}

func positionOf(bus int, m Mark) Position {
	return Position{marks: []busMark{{m, bus}}}
}

// IsZero reports whether p is the place before all messages.
func (p Position) IsZero() bool { return len(p.marks) == 0 }

// Mark returns the place on one bus, zero if the position does not have one.
func (p Position) Mark(bus int) Mark {
	for _, m := range p.marks {
		if m.bus == bus {
			return m.Mark
		}
	}
	return Mark{}
}

// Covers reports whether everything before q is also before p.
func (p Position) Covers(q Position) bool {
	for _, m := range q.marks {
		if p.Mark(m.bus).N < m.N {
			return false
		}
	}
	return true
}

// Join returns the first position that covers both p and q.
func (p Position) Join(q Position) Position {
	for _, m := range q.marks {
		if p.Mark(m.bus).N < m.N {
			p = p.with(m.bus, m.Mark)
		}
	}
	return p
}

// with returns a copy of p with the place on one bus replaced.
func (p Position) with(bus int, mark Mark) Position {
	marks := make([]busMark, 0, len(p.marks)+1)
	done := false
	for _, m := range p.marks {
		if m.bus == bus {
			continue
		}
		if !done && m.bus > bus {
			marks, done = append(marks, busMark{mark, bus}), true
		}
		marks = append(marks, m)
	}
	if !done {
		marks = append(marks, busMark{mark, bus})
	}
	return Position{marks: marks}
}

// String returns the text form: "bus:n:base:ms-seq:run" for each bus, with
// commas between; empty for the zero Position.
func (p Position) String() string {
	var b strings.Builder
	for i, m := range p.marks {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%d:%d:%d:%d-%d:%s", m.bus, m.N, m.Base, m.ID.Ms, m.ID.Seq, m.Run)
	}
	return b.String()
}

// MarshalText implements encoding.TextMarshaler.
func (p Position) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Position) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePosition(string(text))
	return err
}

var errPosition = errors.New("pubsub: not a position")

// maxBuses bounds the buses that a position may name.
const maxBuses = 1024

// ParsePosition reads the text form.
func ParsePosition(text string) (Position, error) {
	var p Position
	if text == "" {
		return p, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		m, err := parseMark(part)
		if err != nil {
			return Position{}, err
		}
		if n := len(p.marks); n > 0 && p.marks[n-1].bus >= m.bus {
			return Position{}, errPosition
		}
		p.marks = append(p.marks, m)
	}
	return p, nil
}

func parseMark(text string) (busMark, error) {
	fields := strings.Split(text, ":")
	if len(fields) != 5 {
		return busMark{}, errPosition
	}
	ms, seq, ok := strings.Cut(fields[3], "-")
	if !ok {
		return busMark{}, errPosition
	}
	bus, err1 := strconv.Atoi(fields[0])
	n, err2 := strconv.ParseInt(fields[1], 10, 64)
	base, err3 := strconv.ParseInt(fields[2], 10, 64)
	idMs, err4 := strconv.ParseUint(ms, 10, 64)
	idSeq, err5 := strconv.ParseUint(seq, 10, 64)
	if errors.Join(err1, err2, err3, err4, err5) != nil ||
		bus < 0 || bus >= maxBuses || n < 0 || base < 0 || strings.Trim(fields[4], "0123456789abcdef") != "" {
		return busMark{}, errPosition
	}
	return busMark{Mark{Base: base, N: n, ID: ID{idMs, idSeq}, Run: fields[4]}, bus}, nil
}
