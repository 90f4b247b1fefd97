package cacheredis

import "github.com/cohort-go/cohort/cache"

// Kinds of parts of a message. A message is any number of parts: kind, length of
// the name in two bytes, name.
const (
	wrote       = 'w' // a key that was written or deleted
	filled      = 'f' // a key that a loader stored or gave up
	invalidated = 't' // a tag
)

func part(kind byte, name string) []byte {
	b := make([]byte, 0, 3+len(name))
	b = append(b, kind, byte(len(name)>>8), byte(len(name)))
	return append(b, name...)
}

// readMessage adds the parts of a message to a change. What it does not know it
// skips: a newer version of this package may write it.
func readMessage(b []byte, c *cache.Change) {
	for len(b) >= 3 {
		n := int(b[1])<<8 | int(b[2])
		if len(b) < 3+n {
			return
		}
		name := string(b[3 : 3+n])
		switch b[0] {
		case wrote:
			c.Keys = append(c.Keys, name)
		case filled:
			c.Filled = append(c.Filled, name)
		case invalidated:
			c.Tags = append(c.Tags, name)
		}
		b = b[3+n:]
	}
}
