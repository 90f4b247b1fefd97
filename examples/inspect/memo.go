package main

import (
	"sync"
	"time"
)

// glance bounds what one page, and one sample, waits for.
const glance = 3 * time.Second

// How old an answer may be that reads through all keys, however many look.
const (
	locksAge = 2 * time.Second
	cacheAge = time.Minute
)

// memo keeps an answer for those who ask soon after.
type memo[T any] struct {
	mu   sync.Mutex
	at   time.Time
	last part[T]
}

// get returns the last answer, or asks if that is older than age or failed.
func (m *memo[T]) get(age time.Duration, ask func() (table[T], error)) part[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at.IsZero() || time.Since(m.at) > age {
		t, err := ask()
		m.last = partOf(t, err)
		if m.at = time.Now(); err != nil {
			m.at = time.Time{}
		}
	}
	return m.last
}
