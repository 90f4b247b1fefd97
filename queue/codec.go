package queue

import "encoding/json"

// Codec turns values into payloads and back. It must be safe for concurrent use.
type Codec[T any] interface {
	Encode(v T) ([]byte, error)
	Decode(payload []byte) (T, error)
}

// JSON returns the Codec that writes JSON.
func JSON[T any]() Codec[T] { return jsonCodec[T]{} }

type jsonCodec[T any] struct{}

func (jsonCodec[T]) Encode(v T) ([]byte, error) { return json.Marshal(v) }

func (jsonCodec[T]) Decode(payload []byte) (v T, err error) {
	err = json.Unmarshal(payload, &v)
	return v, err
}

// Raw returns the Codec that leaves bytes as they are.
func Raw() Codec[[]byte] { return rawCodec{} }

type rawCodec struct{}

func (rawCodec) Encode(v []byte) ([]byte, error) { return v, nil }

func (rawCodec) Decode(payload []byte) ([]byte, error) { return payload, nil }
