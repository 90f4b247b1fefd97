package cacheredis

import (
	"slices"
	"testing"

	"github.com/cohort-go/cohort/cache"
)

// FuzzParse: whatever stands in Redis, an entry is decoded or refused, and what is
// decoded has the parts that it says.
func FuzzParse(f *testing.F) {
	w := &cache.Write{Value: []byte("value"), WriteOptions: cache.WriteOptions{Format: "json"}}
	const times = "1700000000000" + "1700000060000" + "9999999999999"
	head := "\xc10generate" + "0000000000000042" + "noncenon" + times
	f.Add(head+"\x00"+string(body(w)), int64(1700000000500))
	f.Add(head+"\x01"+"\x03tag"+"0000000000000007nonceabc"+string(body(w)), int64(1700000000500))
	f.Add(head+"\xff", int64(0))
	f.Add("", int64(0))
	f.Fuzz(func(t *testing.T, raw string, now int64) {
		s, ok := parse(raw, now)
		if ok && len(s.tags) != len(s.entry.Tags) {
			t.Errorf("%d tags have %d versions", len(s.entry.Tags), len(s.tags))
		}
	})
}

// FuzzMessage: parts of a message come back as they were, whatever follows them.
func FuzzMessage(f *testing.F) {
	f.Add("key", "tag", []byte("x\x00\x01?"))
	f.Add("", "", []byte{wrote, 255, 255})
	f.Fuzz(func(t *testing.T, key, tag string, rest []byte) {
		if len(key) > 1<<16-1 || len(tag) > 1<<16-1 {
			return
		}
		var c cache.Change
		readMessage(append(append(part(filled, key), part(invalidated, tag)...), rest...), &c)
		if !slices.Contains(c.Filled, key) || !slices.Contains(c.Tags, tag) {
			t.Errorf("%q and %q came back as %+v", key, tag, c)
		}
	})
}

// FuzzHeader: the header of a filter is read back, and what is read is a shape that
// its parameters have.
func FuzzHeader(f *testing.F) {
	shape, err := cache.BloomShape(1000, 0.01)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(headerOf(shape))
	f.Add(bloomMagic)
	f.Fuzz(func(t *testing.T, header string) {
		info, err := infoOf(header)
		if err == nil && headerOf(info) != header {
			t.Errorf("%q reads as %+v", header, info)
		}
	})
}
