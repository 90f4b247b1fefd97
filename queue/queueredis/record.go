package queueredis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// What a queue stores of a message: a member, which says how the message is
// treated and stands in lists and sets, and a value. The layout is described in
// lua/common.lua.

const (
	memberSize  = 19
	nonceSize   = 8
	receiptSize = memberSize + nonceSize
	stampSize   = 6
	valueHead   = 2 + stampSize
	tombstone   = 255
	version     = 1
	largeValue  = 4096 // from here on claims look at sizes
	levelUrgent = int(queue.PriorityUrgent)
)

// flags of a member.
const (
	flagKey byte = 1 << iota
	flagUnique
	flagExpires
	flagGiven
	flagRetain
)

// errCorrupt reports a value that this version did not write.
var errCorrupt = errors.New("stored message is corrupt or of an unknown version")

func flagsOf(e *queue.Envelope) (f byte) {
	set := func(on bool, flag byte) {
		if on {
			f |= flag
		}
	}
	set(e.Key != "", flagKey)
	set(e.Unique.Key != "", flagUnique)
	set(e.TTL > 0 || !e.Deadline.IsZero(), flagExpires)
	set(e.Given, flagGiven)
	set(e.Retain > 0, flagRetain)
	return f
}

// appendMember appends the member of a new message.
func appendMember(b []byte, e *queue.Envelope, flags byte) []byte {
	b = append(b, e.ID[:]...)
	return append(b, byte(levelUrgent-int(e.Priority)), flags, 0)
}

// appendRest appends what the value holds behind its enqueue time and deadline.
func appendRest(b []byte, e *queue.Envelope, flags byte, nonce string) []byte {
	b = append(b, byte(e.MaxAttempts))
	if flags&flagRetain != 0 {
		b = append48(b, millis(e.Retain))
	}
	if flags&flagGiven != 0 {
		b = append(b, nonce...)
	}
	if flags&flagKey != 0 {
		b = appendShort(b, e.Key)
	}
	if flags&flagUnique != 0 {
		b = append(b, byte(e.Unique.Until))
		b = append48(b, millis(e.Unique.TTL))
		b = appendShort(b, e.Unique.Key)
	}
	return appendEnvelope(b, e)
}

// appendEnvelope appends version and kind, then timeout and headers if there are
// any, then the payload. Bit 0 of the version byte's upper half announces the
// timeout, bit 1 the headers.
func appendEnvelope(b []byte, e *queue.Envelope) []byte {
	v := byte(version)
	if e.Timeout > 0 {
		v |= 0x10
	}
	if len(e.Header) > 0 {
		v |= 0x20
	}
	b = append(b, v)
	b = appendShort(b, e.Kind)
	if e.Timeout > 0 {
		b = append48(b, millis(e.Timeout))
	}
	if len(e.Header) > 0 {
		b = binary.AppendUvarint(b, uint64(len(e.Header)))
		for _, k := range slices.Sorted(maps.Keys(e.Header)) {
			b = appendLong(b, k)
			b = appendLong(b, e.Header[k])
		}
	}
	return append(b, e.Payload...)
}

// when says when a message is due and expires, "" for now and never.
func when(e *queue.Envelope, flags byte) string {
	due, deadline := "-", "-"
	switch {
	case e.Delay > 0:
		due = "+" + strconv.FormatInt(millis(e.Delay), 10)
	case !e.At.IsZero():
		// A fraction of a millisecond more, rather than early.
		due = "@" + strconv.FormatInt(e.At.Add(time.Millisecond-1).UnixMilli(), 10)
	}
	switch {
	case e.TTL > 0:
		deadline = "+" + strconv.FormatInt(millis(e.TTL), 10)
	case flags&flagExpires != 0:
		deadline = "@" + strconv.FormatInt(min(e.Deadline.UnixMilli(), 1<<48-1), 10)
	}
	if due == "-" && deadline == "-" {
		return ""
	}
	return due + " " + deadline
}

// millis rounds up: a wait of less than a millisecond is still a wait.
func millis(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

func append48(b []byte, n int64) []byte {
	return append(b, byte(n>>40), byte(n>>32), byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

func appendShort(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func appendLong(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes a stored message apart. Its first failure sticks.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) bytes(n int) string {
	if n < 0 || n > len(r.rest) {
		r.bad = true
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// text is bytes without what surrounds them in memory.
func (r *reader) text(n int) string { return strings.Clone(r.bytes(n)) }

func (r *reader) byte() byte {
	if s := r.bytes(1); len(s) == 1 {
		return s[0]
	}
	return 0
}

func (r *reader) int48() (n int64) {
	for _, c := range []byte(r.bytes(6)) {
		n = n<<8 | int64(c)
	}
	return n
}

func (r *reader) millis() time.Duration { return time.Duration(r.int48()) * time.Millisecond }

func (r *reader) uvarint() int {
	v, n := binary.Uvarint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	if n <= 0 || v > uint64(len(r.rest)) {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

// stored is what member and value say together.
type stored struct {
	queue.Envelope
	enqueued time.Time
	failures int
	losses   int
}

// decode reads a stored message. It never panics, whatever the bytes.
func decode(member, value string) (s stored, err error) {
	if len(member) < memberSize {
		return s, errCorrupt
	}
	copy(s.ID[:], member)
	if len(value) < valueHead || value[0] > 3 || value[1] != member[17] {
		return s, fmt.Errorf("%w: message %v", errCorrupt, s.ID)
	}
	s.failures, s.losses = int(member[18]), int(member[16]>>2)
	s.Priority = queue.Priority(levelUrgent - int(value[0]))
	flags := value[1]
	r := reader{rest: value[2:]}
	s.enqueued = time.UnixMilli(r.int48())
	s.readExtras(&r, flags)
	s.readEnvelope(&r)
	if r.bad {
		return s, fmt.Errorf("%w: message %v", errCorrupt, s.ID)
	}
	return s, nil
}

func (s *stored) readExtras(r *reader, flags byte) {
	if flags&flagExpires != 0 {
		s.Deadline = time.UnixMilli(r.int48())
	}
	s.MaxAttempts = int(r.byte())
	if flags&flagRetain != 0 {
		s.Retain = r.millis()
	}
	if flags&flagGiven != 0 {
		s.Given = true
		r.bytes(nonceSize)
	}
	if flags&flagKey != 0 {
		s.Key = r.text(int(r.byte()))
	}
	if flags&flagUnique != 0 {
		s.Unique.Until = queue.Until(r.byte())
		s.Unique.TTL = r.millis()
		s.Unique.Key = r.text(int(r.byte()))
	}
}

func (s *stored) readEnvelope(r *reader) {
	v := r.byte()
	if v&0x0f != version {
		r.bad = true
		return
	}
	s.Kind = r.text(int(r.byte()))
	if v&0x10 != 0 {
		s.Timeout = r.millis()
	}
	if v&0x20 != 0 {
		n := r.uvarint()
		s.Header = make(map[string]string, min(n, 64))
		for range n {
			k := r.text(r.uvarint())
			s.Header[k] = r.text(r.uvarint())
		}
	}
	s.Payload = []byte(r.rest)
}
