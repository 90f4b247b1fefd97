package cache

import (
	"math/bits"

	"github.com/cespare/xxhash/v2"
)

// Positions appends the positions of an item's bits in a filter: double hashing
// of its 64-bit hash. Every implementation sets the same bits.
func (b *BloomInfo) Positions(dst []uint64, item string) []uint64 {
	h := xxhash.Sum64String(item)
	step := mix(h) | 1
	for range b.Hashes {
		high, _ := bits.Mul64(h, b.Bits)
		dst = append(dst, high)
		h += step
	}
	return dst
}

// mix is the finalizer of SplitMix64: another hash of the same item.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
