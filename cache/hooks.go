package cache

import (
	"context"
	"time"
)

// Hooks observe a [Cache]. Every field may be nil. Functions run on the
// goroutine that did the work and must not block.
type Hooks struct {
	// Loaded follows each run of a loader; err is what it returned.
	Loaded func(ctx context.Context, key string, took time.Duration, err error)
	// Refused follows a loaded value that was not kept because the key was
	// written, deleted or invalidated meanwhile.
	Refused func(key string)
	// Corrupt follows an entry that could not be decoded and counts as absent.
	Corrupt func(key string, err error)
	// StaleServed follows each stale value that a caller got, with the time
	// since it was written.
	StaleServed func(key string, age time.Duration)
	// Dropped follows the loss of all local copies because the node cannot tell
	// what changed.
	Dropped func()
}

func (h *Hooks) loaded(ctx context.Context, key string, took time.Duration, err error) {
	if h.Loaded != nil {
		h.Loaded(ctx, key, took, err)
	}
}

func (h *Hooks) refused(key string) {
	if h.Refused != nil {
		h.Refused(key)
	}
}

func (h *Hooks) corrupt(key string, err error) {
	if h.Corrupt != nil {
		h.Corrupt(key, err)
	}
}

func (h *Hooks) staleServed(key string, age time.Duration) {
	if h.StaleServed != nil {
		h.StaleServed(key, age)
	}
}

func (h *Hooks) dropped() {
	if h.Dropped != nil {
		h.Dropped()
	}
}
