package lockredis

import (
	"strings"
	"testing"

	"github.com/cohort-go/cohort/lock"
)

func FuzzParseGrant(f *testing.F) {
	token := strings.Repeat("t", lock.TokenLen)
	f.Add("g " + token + " 1795453851766066 10000 2 0 a name with %25 and spaces")
	f.Add("w " + token)
	f.Add("g  1 1 1 1 x")
	f.Fuzz(func(t *testing.T, payload string) {
		g, err := parseGrant(payload)
		if err == nil && (len(g.Token) != lock.TokenLen || g.Name == "" || g.TTL < 0 || g.Waiters < 0 || g.Permits < 0) {
			t.Errorf("%q was read as %+v", payload, g)
		}
	})
}
