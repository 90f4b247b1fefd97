package cachemsgpack_test

import (
	"testing"

	"github.com/cohort-go/cohort/cache/cachemsgpack"
	"github.com/cohort-go/cohort/cache/cachetest"
)

func TestCodec(t *testing.T) { cachetest.RunCodec(t, cachemsgpack.New[cachetest.Document]()) }

func FuzzDecode(f *testing.F) {
	c := cachemsgpack.New[cachetest.Document]()
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = c.Decode(b) })
}
