package redisstream

import (
	"fmt"
	"strconv"
	"strings"
)

// ID is the ID of an entry in the Redis stream. IDs of one stream on one server
// only grow.
type ID struct{ Ms, Seq uint64 }

// ParseID reads the form "ms-seq".
func ParseID(s string) (ID, error) {
	ms, seq, ok := strings.Cut(s, "-")
	if !ok {
		return ID{}, fmt.Errorf("%q is not a stream ID", s)
	}
	var id ID
	var err error
	if id.Ms, err = strconv.ParseUint(ms, 10, 64); err != nil {
		return ID{}, fmt.Errorf("%q is not a stream ID", s)
	}
	if id.Seq, err = strconv.ParseUint(seq, 10, 64); err != nil {
		return ID{}, fmt.Errorf("%q is not a stream ID", s)
	}
	return id, nil
}

func (id ID) String() string {
	b := strconv.AppendUint(make([]byte, 0, 24), id.Ms, 10)
	return string(strconv.AppendUint(append(b, '-'), id.Seq, 10))
}

// Cursor is a place in a log: right after the entry with ordinal N.
type Cursor struct {
	// Base is the ordinal before the log's first entry. It identifies the log:
	// no two logs of one name have the same. 0 in a Cursor whose log is not
	// known, such as that of an entry that was just appended.
	Base int64
	// N is the ordinal of the last entry before the place.
	N int64
	// ID is the stream ID of that entry, zero if there is none.
	ID ID
	// Run is the run of the server that was last asked: another after each restart,
	// and each time that a replica takes over. Empty if none was asked, or if it
	// does not tell.
	Run string
}

// Entry is one element of the log. Data is shared by all who see the entry and
// must not be changed.
type Entry struct {
	N    int64
	ID   ID
	Data []byte
}

// Reason says why entries are missing.
type Reason int

const (
	// Trimmed says that the entries were removed from the stream, by its retention, by
	// eviction, or by hand.
	Trimmed Reason = iota + 1
	// Reset says that the log was removed and made anew, or lost with the server's data.
	Reset
	// Failover says that another server took over, or the same came back, and may not
	// have all entries that were acknowledged before: which, nobody can know.
	Failover
)

func (r Reason) String() string {
	switch r {
	case Trimmed:
		return "trimmed"
	case Reset:
		return "reset"
	case Failover:
		return "failover"
	}
	return "unknown"
}

// Gap is a place in the log where entries are missing.
type Gap struct {
	Reason Reason
	// Missed is the number of missing entries, -1 if it cannot be known.
	Missed int64
	// After is where the reader stood, Resume where it goes on.
	After, Resume Cursor
}
