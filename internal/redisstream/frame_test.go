package redisstream

import (
	"fmt"
	"strings"
	"testing"
)

func FuzzFrame(f *testing.F) {
	f.Add("7 2\n1-0 3\nabc2-0 0\n")
	f.Add("1 1\n1-0 99\nabc")
	f.Fuzz(func(t *testing.T, payload string) {
		got, err := parseFrame(payload)
		if err != nil {
			return
		}
		var b strings.Builder
		fmt.Fprintf(&b, "%d %d\n", got.first(), len(got.entries))
		for _, e := range got.entries {
			fmt.Fprintf(&b, "%v %d\n%s", e.ID, len(e.Data), e.Data)
		}
		again, err := parseFrame(b.String())
		if err != nil || again.first() != got.first() || again.last() != got.last() {
			t.Fatalf("%q is read as %+v, and that not again: %v", payload, got, err)
		}
	})
}
