package redisstream

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
)

// frame is the content of one push: entries with consecutive ordinals.
type frame struct {
	entries []Entry // at least one
	size    int
}

func (f frame) first() int64 { return f.entries[0].N }
func (f frame) last() int64  { return f.entries[len(f.entries)-1].N }

// maxFrame bounds the number of entries that a push may announce.
const maxFrame = 1 << 16

var errFrame = errors.New("push is not in the form of this package")

// parseFrame reads a push. The entries' data is one copy of the payload.
func parseFrame(payload string) (frame, error) {
	b := []byte(payload)
	line, rest, ok := bytes.Cut(b, []byte{'\n'})
	if !ok {
		return frame{}, errFrame
	}
	first, count, err := twoNumbers(line)
	if err != nil || count < 1 || count > maxFrame || first < 1 {
		return frame{}, errFrame
	}
	f := frame{entries: make([]Entry, count), size: len(b)}
	for i := range f.entries {
		line, after, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok {
			return frame{}, errFrame
		}
		id, length, err := idAndLength(line)
		if err != nil || length > len(after) {
			return frame{}, errFrame
		}
		f.entries[i] = Entry{N: first + int64(i), ID: id, Data: after[:length:length]}
		rest = after[length:]
	}
	if len(rest) > 0 {
		return frame{}, errFrame
	}
	return f, nil
}

func twoNumbers(line []byte) (a, b int64, err error) {
	left, right, ok := bytes.Cut(line, []byte{' '})
	m, ok1 := number(left)
	n, ok2 := number(right)
	if !ok || !ok1 || !ok2 || m > math.MaxInt64 || n > math.MaxInt64 {
		return 0, 0, errFrame
	}
	return int64(m), int64(n), nil
}

func idAndLength(line []byte) (id ID, length int, err error) {
	left, right, ok := bytes.Cut(line, []byte{' '})
	ms, seq, ok1 := bytes.Cut(left, []byte{'-'})
	var ok2, ok3 bool
	id.Ms, ok2 = number(ms)
	id.Seq, ok3 = number(seq)
	n, ok4 := number(right)
	if !ok || !ok1 || !ok2 || !ok3 || !ok4 || n > math.MaxInt32 {
		return ID{}, 0, errFrame
	}
	return id, int(n), nil
}

// number reads decimal digits, without making a string of them.
func number(digits []byte) (n uint64, ok bool) {
	if len(digits) == 0 || len(digits) > 20 {
		return 0, false
	}
	for _, d := range digits {
		hi, lo := bits.Mul64(n, 10)
		if d < '0' || d > '9' || hi > 0 || lo > math.MaxUint64-uint64(d-'0') {
			return 0, false
		}
		n = lo + uint64(d-'0')
	}
	return n, true
}
