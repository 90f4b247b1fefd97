package lockredis

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/lock"
)

// event passes one published event on.
func (l *listener) event(payload string) error {
	if token, ok := strings.CutPrefix(payload, "w "); ok {
		l.events.Contended(token)
		return nil
	}
	g, err := parseGrant(payload)
	if err != nil {
		return err
	}
	l.events.Granted(g)
	return nil
}

// parseGrant reads "g token fence ttl waiters permits name".
func parseGrant(payload string) (lock.Grant, error) {
	f := strings.SplitN(payload, " ", 7)
	if len(f) != 7 || f[0] != "g" || len(f[1]) != lock.TokenLen {
		return lock.Grant{}, fmt.Errorf("no event: %q", payload)
	}
	var n [4]uint64
	for i := range n {
		v, err := strconv.ParseUint(f[2+i], 10, 62)
		if err != nil {
			return lock.Grant{}, fmt.Errorf("no grant: %w", err)
		}
		n[i] = v
	}
	name, err := rediskey.Decode(f[6])
	if err != nil {
		return lock.Grant{}, fmt.Errorf("no grant: %w", err)
	}
	const day = uint64(24 * time.Hour / time.Millisecond)
	return lock.Grant{
		Name: name, Token: f[1], Fence: n[0],
		TTL:     time.Duration(min(n[1], 365*day)) * time.Millisecond,
		Waiters: int(min(n[2], 1<<30)), Permits: int(min(n[3], 1<<30)),
	}, nil
}
