package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Bloom keeps sets of items in little memory: it never forgets an item, and says
// of some items that it does not have that it does, about as rarely as asked for.
// Names are 1 to [MaxKey] bytes. All methods are safe for concurrent use.
type Bloom interface {
	// Reserve makes the filter name for capacity items at a rate of false
	// answers, between 0 and 1. It does nothing if the same filter exists, and
	// reports ErrMismatch if it has other parameters.
	Reserve(ctx context.Context, name string, capacity uint64, rate float64) error
	// Add adds items and reports of each whether it is new to the filter. It
	// reports ErrNotReserved for a filter that was never reserved, or was lost.
	Add(ctx context.Context, name string, items ...string) ([]bool, error)
	// Exists reports of each item whether it may have been added; false is
	// certain. It reports ErrNotReserved like Add, never false for it.
	Exists(ctx context.Context, name string, items ...string) ([]bool, error)
	// Info describes a filter, or reports ErrNotReserved.
	Info(ctx context.Context, name string) (BloomInfo, error)
	// Drop removes a filter. It reports whether there was one.
	Drop(ctx context.Context, name string) (bool, error)
}

// BloomInfo describes a filter.
type BloomInfo struct {
	Capacity uint64
	Rate     float64
	Bits     uint64 // length of the filter
	Hashes   int    // bits per item
}

// MaxBloomBits is the length of the longest filter: 512 MiB, the longest string
// of Redis, less its header.
const MaxBloomBits = (512<<20 - 64) * 8

// BloomShape returns the shape of a filter, the same for every implementation,
// or why there is none.
func BloomShape(capacity uint64, rate float64) (BloomInfo, error) {
	info := BloomInfo{Capacity: capacity, Rate: rate}
	if capacity == 0 || !(rate > 0 && rate < 1) {
		return info, fmt.Errorf("capacity %d and rate %v, want more than 0, and between 0 and 1", capacity, rate)
	}
	bits := math.Ceil(-float64(capacity) * math.Log(rate) / (math.Ln2 * math.Ln2))
	if bits > MaxBloomBits {
		return info, fmt.Errorf("%.0f bits: %w", bits, ErrTooLarge)
	}
	info.Bits = (max(uint64(bits), 8) + 7) / 8 * 8
	info.Hashes = max(int(math.Round(float64(info.Bits)/float64(capacity)*math.Ln2)), 1)
	info.Hashes = min(info.Hashes, maxHashes)
	return info, nil
}

// maxHashes bounds the work per item; a rate of 1e-9 needs 30.
const maxHashes = 64

// checkName reports why name cannot be that of a filter, counter or limit.
func checkName(name string) error {
	if name == "" {
		return errors.New("name is empty")
	}
	if len(name) > MaxKey {
		return fmt.Errorf("name of %d bytes: %w", len(name), ErrTooLarge)
	}
	return nil
}
