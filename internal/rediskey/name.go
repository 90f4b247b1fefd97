// Package rediskey builds Redis keys from names that users give. No name can
// leave its place: whatever it holds, its keys stay in one hash slot, under one
// namespace and area, and a key pattern matches it literally.
package rediskey

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxName is the length in bytes of the longest name that Encode accepts.
const MaxName = 512

// Errors of Encode and Decode.
var (
	// ErrEmpty reports a name without a single byte.
	ErrEmpty = errors.New("name is empty")
	// ErrTooLong reports a name of more than MaxName bytes.
	ErrTooLong = fmt.Errorf("name is longer than %d bytes", MaxName)
	// ErrEncoding reports text that Encode does not produce.
	ErrEncoding = errors.New("not an encoded name")
)

// reserved bytes mean something in a key: the hash tag's braces, the escape
// itself, and what a pattern of SCAN, PSUBSCRIBE or an ACL rule does not take
// literally.
const reserved = `{}%*?[]\`

const hexDigits = "0123456789ABCDEF"

// Encode returns name as it stands in a key: reserved bytes, control characters
// and bytes that are no UTF-8 become %XX, everything else stays readable.
// Different names never have the same encoding.
func Encode(name string) (string, error) {
	switch {
	case name == "":
		return "", ErrEmpty
	case len(name) > MaxName:
		return "", ErrTooLong
	}
	return escape(name), nil
}

func escape(name string) string {
	var b strings.Builder
	for len(name) > 0 {
		r, size := utf8.DecodeRuneInString(name)
		invalid := r == utf8.RuneError && size == 1
		if invalid || unicode.IsControl(r) || strings.ContainsRune(reserved, r) {
			for i := range size {
				b.WriteByte('%')
				b.WriteByte(hexDigits[name[i]>>4])
				b.WriteByte(hexDigits[name[i]&0xF])
			}
		} else {
			b.WriteString(name[:size])
		}
		name = name[size:]
	}
	return b.String()
}

// Decode returns the name that Encode made encoded from. Text that Encode would
// not have written is ErrEncoding, so equal names always have equal encodings.
func Decode(encoded string) (string, error) {
	name, ok := unescape(encoded)
	if !ok {
		return "", ErrEncoding
	}
	again, err := Encode(name)
	if err != nil {
		return "", err
	}
	if again != encoded {
		return "", ErrEncoding
	}
	return name, nil
}

func unescape(encoded string) (name string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(encoded); i++ {
		if encoded[i] != '%' {
			b.WriteByte(encoded[i])
			continue
		}
		if i+2 >= len(encoded) {
			return "", false
		}
		hi := strings.IndexByte(hexDigits, encoded[i+1])
		lo := strings.IndexByte(hexDigits, encoded[i+2])
		if hi < 0 || lo < 0 {
			return "", false
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), true
}
