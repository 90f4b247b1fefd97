package lockredis

import (
	"fmt"
	"sync"

	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
)

// maxRing bounds the names whose keys are remembered.
const maxRing = 1024

// A keyring remembers the keys of the names that were used last.
type keyring struct {
	conn  conn
	parts []string
	tells string // how a script tells others; the encoded name follows

	mu   *sync.Mutex
	used map[string]names
}

func newKeyring(c conn, parts ...string) keyring {
	counts := 1 // PUBLISH says how many processes heard it, but counts one node of a cluster only
	if c.cluster {
		counts = 0
	}
	tells := fmt.Sprintf("%d %d %s ", counts, unheard.Milliseconds(), rediskey.Prefix(c.namespace, area+"-events"))
	return keyring{conn: c, parts: parts, tells: tells, mu: new(sync.Mutex), used: make(map[string]names)}
}

// of returns the keys of name.
func (k *keyring) of(name string) (names, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	n, ok := k.used[name]
	if ok {
		return n, nil
	}
	n, err := k.conn.names(name, k.parts...)
	if err != nil {
		return n, err
	}
	encoded, _ := rediskey.Encode(name)
	n.telling, n.ready = k.tells+encoded, script.NewKeys(n.keys...)
	if len(k.used) >= maxRing {
		clear(k.used)
	}
	k.used[name] = n
	return n, nil
}
