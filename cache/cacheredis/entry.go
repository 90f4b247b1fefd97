package cacheredis

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cohort-go/cohort/cache"
)

// Positions in an entry; lib.lua describes them.
const (
	posAbsent  = 1
	posGen     = 2
	posOrdinal = 10
	posNonce   = 26
	posWritten = 34
	posFresh   = 47
	posGone    = 60
	posTags    = 73
	tagVersion = 24
)

// never is the time in an entry that does not expire.
const never = 9999999999999

// stored is a decoded entry.
type stored struct {
	entry      cache.Entry
	generation string
	tags       []string // versions, in the order of entry.Tags
}

// parse decodes an entry that was read at the given time of the server's clock, in
// ms. It reports false for what is not an entry, or a damaged one.
func parse(raw string, now int64) (s stored, ok bool) {
	if len(raw) <= posTags || raw[0] != '\xc1' {
		return s, false
	}
	ordinal, err1 := strconv.ParseUint(raw[posOrdinal:posNonce], 10, 64)
	written, err2 := strconv.ParseInt(raw[posWritten:posFresh], 10, 64)
	fresh, err3 := strconv.ParseInt(raw[posFresh:posGone], 10, 64)
	gone, err4 := strconv.ParseInt(raw[posGone:posTags], 10, 64)
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
		return s, false
	}
	nonce := binary.BigEndian.Uint64([]byte(raw[posNonce:posWritten]))
	s.generation = raw[posGen:posOrdinal]
	s.entry = cache.Entry{
		Version: cache.NewVersion(ordinal, nonce),
		Absent:  raw[posAbsent] == '1',
		Age:     max(time.Duration(now-written)*time.Millisecond, 0),
		TTL:     remaining(fresh, now),
		Life:    remaining(gone, now),
	}
	rest := raw[posTags+1:]
	for range raw[posTags] {
		var name string
		if name, rest, ok = cutText(rest); !ok || len(rest) < tagVersion {
			return s, false
		}
		s.entry.Tags = append(s.entry.Tags, name)
		s.tags = append(s.tags, rest[:tagVersion])
		rest = rest[tagVersion:]
	}
	return s, s.body(rest)
}

// body decodes what follows the tags.
func (s *stored) body(b string) (ok bool) {
	format, rest, ok := cutText(b)
	if !ok || len(rest) < 8 {
		return false
	}
	s.entry.Format = format
	s.entry.Value = []byte(rest[8:])
	return binary.BigEndian.Uint64([]byte(rest[:8])) == xxhash.Sum64(s.entry.Value)
}

// body is the part of an entry that the writer knows.
func body(w *cache.Write) []byte {
	b := make([]byte, 0, 1+len(w.Format)+8+len(w.Value))
	b = appendText(b, w.Format)
	b = binary.BigEndian.AppendUint64(b, xxhash.Sum64(w.Value))
	return append(b, w.Value...)
}

func remaining(end, now int64) time.Duration {
	if end == never {
		return cache.Forever
	}
	return time.Duration(min(end-now, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
}

// appendText appends a text of at most 255 bytes with its length before it.
func appendText(b []byte, s string) []byte { return append(append(b, byte(len(s))), s...) }

func cutText(b string) (s, rest string, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", "", false
	}
	n := 1 + int(b[0])
	return b[1:n], b[n:], true
}
