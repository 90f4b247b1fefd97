package cache

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
)

// Version identifies one write of one key. Compare Versions for equality only.
// The zero Version is that of no entry. Its text form crosses processes.
type Version [16]byte

// NewVersion returns the Version of a write that is change number ordinal of its
// line. Stores call it; nonce is random, so that a line that lost its end and
// counts again repeats no Version.
func NewVersion(ordinal, nonce uint64) (v Version) {
	binary.BigEndian.PutUint64(v[0:], ordinal)
	binary.BigEndian.PutUint64(v[8:], nonce)
	return v
}

// Ordinal is the number of the write on its line.
func (v Version) Ordinal() uint64 { return binary.BigEndian.Uint64(v[0:]) }

// String returns the text form.
func (v Version) String() string { return hex.EncodeToString(v[:]) }

// MarshalText implements encoding.TextMarshaler.
func (v Version) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, v[:]), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (v *Version) UnmarshalText(text []byte) error {
	b := make([]byte, hex.DecodedLen(len(text)))
	if n, err := hex.Decode(b, text); err != nil || n != len(v) {
		return errors.New("cache: not a version")
	}
	copy(v[:], b)
	return nil
}
