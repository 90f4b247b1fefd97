// Package caches2 compresses the values of another [cache.Codec] with S2.
package caches2

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"

	"github.com/cohort-go/cohort/cache"
)

// Options tune a codec. The zero value of each field means its default.
type Options struct {
	// Above is the size in bytes from which values are compressed. Default 1 KiB.
	Above int
	// MaxBytes is the largest value that is accepted after decompression.
	// Default 1 MiB, like that of a Cache.
	MaxBytes int
}

// New returns a codec that compresses what c encodes where that makes it smaller.
func New[T any](c cache.Codec[T], o Options) cache.Codec[T] {
	if o.Above <= 0 {
		o.Above = 1 << 10
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 20
	}
	return codec[T]{c, o}
}

type codec[T any] struct {
	inner cache.Codec[T]
	opts  Options
}

// First byte of an encoded value.
const (
	plain      = 0
	compressed = 1
)

func (c codec[T]) Name() string { return c.inner.Name() + "+s2" }

func (c codec[T]) Encode(dst []byte, v T) ([]byte, error) {
	start := len(dst)
	dst, err := c.inner.Encode(append(dst, plain), v)
	if err != nil {
		return nil, err
	}
	value := dst[start+1:]
	if len(value) < c.opts.Above {
		return dst, nil
	}
	small := s2.Encode(nil, value)
	if len(small) >= len(value) {
		return dst, nil
	}
	dst[start] = compressed
	return append(dst[:start+1], small...), nil
}

var errFormat = errors.New("not an S2 value of this package")

func (c codec[T]) Decode(b []byte) (v T, err error) {
	if len(b) == 0 {
		return v, errFormat
	}
	value := b[1:]
	switch b[0] {
	case plain:
	case compressed:
		n, err := s2.DecodedLen(value)
		if err != nil {
			return v, fmt.Errorf("decompress: %w", err)
		}
		if n > c.opts.MaxBytes {
			return v, fmt.Errorf("decompressed value of %d bytes: %w", n, cache.ErrTooLarge)
		}
		if value, err = s2.Decode(nil, value); err != nil {
			return v, fmt.Errorf("decompress: %w", err)
		}
	default:
		return v, errFormat
	}
	return c.inner.Decode(value)
}
