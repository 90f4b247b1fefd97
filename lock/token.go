package lock

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"sync/atomic"
)

// Lengths of a token and of the part of it that names the process.
const (
	TokenLen   = 32
	ProcessLen = 12
)

// tokens makes the tokens of one Locker: the process, the number of the tenure,
// and chance. All have the same length, so that none is the beginning of another.
type tokens struct {
	process string
	last    atomic.Uint64
}

func newTokens() *tokens {
	var b [ProcessLen / 4 * 3]byte
	_, _ = rand.Read(b[:]) // never fails
	return &tokens{process: base64.RawURLEncoding.EncodeToString(b[:])}
}

// next returns a token that was never used.
func (t *tokens) next() string {
	const size = (TokenLen - ProcessLen) / 4 * 3
	var b [size]byte
	binary.BigEndian.PutUint64(b[:8], t.last.Add(1)<<8) // 7 bytes
	_, _ = rand.Read(b[7:])
	var token [TokenLen]byte
	copy(token[:], t.process)
	base64.RawURLEncoding.Encode(token[ProcessLen:], b[:])
	return string(token[:])
}
