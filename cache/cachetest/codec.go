package cachetest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/cache"
)

// Document is a value with which codecs are tested.
type Document struct {
	ID    int64
	Title string
	Tags  []string
	Sizes map[string]int
	Inner *Document
}

// RunCodec runs the promises of [cache.Codec].
func RunCodec(t *testing.T, c cache.Codec[Document]) {
	for _, want := range []Document{
		{},
		{ID: -1 << 63, Title: "\x00 ü \u2028", Tags: []string{"a", ""}, Sizes: map[string]int{"": 1}},
		{Title: strings.Repeat("long and regular ", 1000), Inner: &Document{ID: 7}},
	} {
		b, err := c.Encode(nil, want)
		check(t, err, "Encode")
		kept := append([]byte(nil), b...)
		got, err := c.Decode(b)
		check(t, err, "Decode")
		clear(b) // Decode must keep no part of it
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+.60v, want %+.60v", got, want)
		}
		after, err := c.Encode([]byte("before"), want)
		check(t, err, "Encode after other bytes")
		if rest, ok := strings.CutPrefix(string(after), "before"); !ok {
			t.Errorf("what was in dst is gone")
		} else if again, err := c.Decode([]byte(rest)); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("encoded after other bytes: %+.60v, %v", again, err)
		}
		for cut := range min(len(kept), 64) {
			_, _ = c.Decode(kept[:cut]) // whatever it says, it must return
		}
	}
	if _, err := c.Decode(nil); err == nil {
		t.Errorf("nothing is decoded")
	}
	if c.Name() == "" || len(c.Name()) > 31 {
		t.Errorf("name %q", c.Name())
	}
}
