package lockredis

import "sync"

// maxRing bounds the names whose keys are remembered.
const maxRing = 1024

// A keyring remembers the keys of the names that were used last.
type keyring struct {
	conn  conn
	parts []string

	mu   *sync.Mutex
	used map[string]names
}

func newKeyring(c conn, parts ...string) keyring {
	return keyring{conn: c, parts: parts, mu: new(sync.Mutex), used: make(map[string]names)}
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
	if len(k.used) >= maxRing {
		clear(k.used)
	}
	k.used[name] = n
	return n, nil
}
