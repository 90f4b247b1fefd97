package caches2_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/klauspost/compress/s2"

	"github.com/cohort-go/cohort/cache"
	"github.com/cohort-go/cohort/cache/caches2"
	"github.com/cohort-go/cohort/cache/cachetest"
)

func TestCodec(t *testing.T) {
	cachetest.RunCodec(t, caches2.New(cache.JSON[cachetest.Document](), caches2.Options{}))
}

func TestOnlyIfSmaller(t *testing.T) {
	c := caches2.New(cache.Bytes(), caches2.Options{})
	for _, tt := range []struct {
		name  string
		value []byte
		less  bool
	}{
		{"short", bytes.Repeat([]byte{'a'}, 100), false},
		{"regular", bytes.Repeat([]byte{'a'}, 2000), true},
		{"random", s2.Encode(nil, bytes.Repeat([]byte("0123456789abcdefghijklmnopqrstuvwxyz"), 1)), false},
	} {
		b, err := c.Encode(nil, tt.value)
		if err != nil {
			t.Fatal(err)
		}
		if less := len(b) < len(tt.value); less != tt.less || len(b) > len(tt.value)+1 {
			t.Errorf("%s: %d bytes became %d", tt.name, len(tt.value), len(b))
		}
	}
}

func TestBombIsRefused(t *testing.T) {
	c := caches2.New(cache.Bytes(), caches2.Options{})
	bomb := append([]byte{1}, s2.Encode(nil, make([]byte, 2<<20))...)
	if _, err := c.Decode(bomb); !errors.Is(err, cache.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

func FuzzDecode(f *testing.F) {
	c := caches2.New(cache.Bytes(), caches2.Options{})
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = c.Decode(b) })
}
