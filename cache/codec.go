package cache

import (
	"encoding/json"
	"fmt"
)

// Codec turns values into bytes and back. It is safe for concurrent use. Packages
// below codec add formats and compression.
type Codec[T any] interface {
	// Name is stored with each value, 1 to 31 bytes; an entry with another one
	// counts as absent.
	Name() string
	// Encode returns the bytes of v, or dst with them appended.
	Encode(dst []byte, v T) ([]byte, error)
	// Decode returns the value of b and keeps no part of b.
	Decode(b []byte) (T, error)
}

// JSON returns the Codec of encoding/json.
func JSON[T any]() Codec[T] { return jsonCodec[T]{} }

type jsonCodec[T any] struct{}

func (jsonCodec[T]) Name() string { return "json" }

func (jsonCodec[T]) Encode(dst []byte, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(dst, b...), nil
}

func (jsonCodec[T]) Decode(b []byte) (v T, err error) {
	err = json.Unmarshal(b, &v)
	return v, err
}

// Bytes returns the Codec of plain bytes. The values of the in-process tier are
// shared like any other: do not change them.
func Bytes() Codec[[]byte] { return bytesCodec{} }

type bytesCodec struct{}

func (bytesCodec) Name() string { return "bytes" }

func (bytesCodec) Encode(dst []byte, v []byte) ([]byte, error) { return append(dst, v...), nil }

func (bytesCodec) Decode(b []byte) ([]byte, error) { return append([]byte{}, b...), nil }

// Cloned returns a Codec whose cache gives each caller a copy of its own, made by
// clone, so that callers may change what they get.
func Cloned[T any](c Codec[T], clone func(T) T) Codec[T] { return cloned[T]{c, clone} }

type cloned[T any] struct {
	Codec[T]
	clone func(T) T
}

// maxFormat is the length of the longest name of a Codec.
const maxFormat = 31

func checkFormat(name string) error {
	if name == "" || len(name) > maxFormat {
		return fmt.Errorf("codec name %q has %d bytes, want 1 to %d", name, len(name), maxFormat)
	}
	return nil
}
