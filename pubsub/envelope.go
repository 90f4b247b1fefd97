package pubsub

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// An entry holds, in this order: version, flags, publisher, sequence, the node's
// name, the channel, the key and the headers if the flags say so, the payload.
// Texts have their length before them. Publisher and sequence are set when the
// entry is sent, and serve only to recognise repeats.
const (
	envelopeVersion = 1
	envelopeFixed   = 2 + 8 + 8
)

const (
	flagSkipSelf = 1 << iota
	flagOnlySelf
	flagKey
	flagHeaders
	flagBarrier // the payload is the barrier's ID
	flagPassed  // the node has passed the barrier whose ID is the payload
	flagsEnd
)

var errEnvelope = errors.New("entry is not an envelope of this package")

// origin tells entries of one publisher apart: its sequences only grow.
type origin struct{ publisher, sequence uint64 }

// envelope is a decoded entry; its slices are parts of the entry.
type envelope struct {
	flags   byte
	origin  origin
	node    []byte
	channel []byte
	key     []byte
	headers map[string]string
	payload []byte
}

// encode returns the entry of a message. Its origin is set later.
func encode(m *Message, node string, flags byte) []byte {
	size := envelopeFixed + len(node) + len(m.Channel) + len(m.Key) + len(m.Payload) + 16
	for k, v := range m.Headers {
		size += len(k) + len(v) + 8
	}
	if m.SkipSelf {
		flags |= flagSkipSelf
	}
	if m.OnlySelf {
		flags |= flagOnlySelf
	}
	if m.Key != "" {
		flags |= flagKey
	}
	if len(m.Headers) > 0 {
		flags |= flagHeaders
	}
	b := make([]byte, envelopeFixed, size)
	b[0], b[1] = envelopeVersion, flags
	b = appendText(b, node)
	b = appendText(b, m.Channel)
	if m.Key != "" {
		b = appendText(b, m.Key)
	}
	if len(m.Headers) > 0 {
		b = binary.AppendUvarint(b, uint64(len(m.Headers)))
		for _, k := range slices.Sorted(maps.Keys(m.Headers)) {
			b = appendText(b, k)
			b = appendText(b, m.Headers[k])
		}
	}
	return append(b, m.Payload...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func setOrigin(entry []byte, o origin) {
	binary.BigEndian.PutUint64(entry[2:], o.publisher)
	binary.BigEndian.PutUint64(entry[10:], o.sequence)
}

func decode(entry []byte) (e envelope, err error) {
	if len(entry) < envelopeFixed || entry[0] != envelopeVersion || entry[1] >= flagsEnd {
		return e, errEnvelope
	}
	e.flags = entry[1]
	e.origin.publisher = binary.BigEndian.Uint64(entry[2:])
	e.origin.sequence = binary.BigEndian.Uint64(entry[10:])
	rest := entry[envelopeFixed:]
	if e.node, rest, err = cutText(rest); err != nil {
		return e, err
	}
	if e.channel, rest, err = cutText(rest); err != nil {
		return e, err
	}
	if e.flags&flagKey != 0 {
		if e.key, rest, err = cutText(rest); err != nil {
			return e, err
		}
	}
	if e.flags&flagHeaders != 0 {
		if e.headers, rest, err = cutHeaders(rest); err != nil {
			return e, err
		}
	}
	e.payload = slices.Clip(rest)
	return e, nil
}

func cutText(b []byte) (text, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)-size) {
		return nil, nil, errEnvelope
	}
	b = b[size:]
	return b[:n:n], b[n:], nil
}

func cutHeaders(b []byte) (headers map[string]string, rest []byte, err error) {
	n, size := binary.Uvarint(b)
	if size <= 0 || n > uint64(len(b)) {
		return nil, nil, errEnvelope
	}
	b = b[size:]
	headers = make(map[string]string, n)
	for range n {
		var k, v []byte
		if k, b, err = cutText(b); err != nil {
			return nil, nil, err
		}
		if v, b, err = cutText(b); err != nil {
			return nil, nil, err
		}
		headers[string(k)] = string(v)
	}
	return headers, b, nil
}
