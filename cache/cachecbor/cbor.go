// Package cachecbor is the [cache.Codec] of CBOR (RFC 8949).
package cachecbor

import (
	"github.com/fxamacker/cbor/v2"

	"github.com/cohort-go/cohort/cache"
)

// New returns the codec. Field names come from cbor tags, or from json tags.
func New[T any]() cache.Codec[T] { return codec[T]{} }

type codec[T any] struct{}

func (codec[T]) Name() string { return "cbor" }

func (codec[T]) Encode(dst []byte, v T) ([]byte, error) {
	b, err := cbor.Marshal(v)
	if err != nil || len(dst) == 0 {
		return b, err
	}
	return append(dst, b...), nil
}

func (codec[T]) Decode(b []byte) (v T, err error) {
	err = cbor.Unmarshal(b, &v)
	return v, err
}
