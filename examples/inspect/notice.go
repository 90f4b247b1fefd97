package main

import (
	"crypto/rand"
	"sync"
)

// notice says what a button did.
type notice struct {
	Text string
	Bad  bool
}

// notices are kept for the page that follows a button. Their names cannot be
// guessed, so no link makes the page say what it did not do.
type notices struct {
	mu    sync.Mutex
	byKey map[string]notice
	keys  []string
}

// maxNotices is how many are kept.
const maxNotices = 32

func (n *notices) keep(note notice) (key string) {
	key = rand.Text()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byKey == nil {
		n.byKey = make(map[string]notice)
	}
	n.byKey[key] = note
	if n.keys = append(n.keys, key); len(n.keys) > maxNotices {
		delete(n.byKey, n.keys[0])
		n.keys = n.keys[1:]
	}
	return key
}

func (n *notices) get(key string) notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.byKey[key]
}
