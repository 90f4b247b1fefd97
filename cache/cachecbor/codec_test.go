package cachecbor_test

import (
	"testing"

	"github.com/cohort-go/cohort/cache/cachecbor"
	"github.com/cohort-go/cohort/cache/cachetest"
)

func TestCodec(t *testing.T) { cachetest.RunCodec(t, cachecbor.New[cachetest.Document]()) }

func FuzzDecode(f *testing.F) {
	c := cachecbor.New[cachetest.Document]()
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = c.Decode(b) })
}
