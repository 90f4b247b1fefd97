// Package cachemsgpack is the [cache.Codec] of MessagePack: shorter and quicker
// than JSON for most values.
package cachemsgpack

import (
	"bytes"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/cohort-go/cohort/cache"
)

// New returns the codec. Field names come from msgpack tags.
func New[T any]() cache.Codec[T] { return codec[T]{} }

type codec[T any] struct{}

func (codec[T]) Name() string { return "msgpack" }

func (codec[T]) Encode(dst []byte, v T) ([]byte, error) {
	b := bytes.NewBuffer(dst)
	e := msgpack.GetEncoder()
	defer msgpack.PutEncoder(e)
	e.Reset(b)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func (codec[T]) Decode(b []byte) (v T, err error) {
	err = msgpack.Unmarshal(b, &v)
	return v, err
}
