package snowflake

import "strings"

// The digits of both notations are in the order of their bytes and the width is
// fixed, so that the order of two texts is the order of their numbers.
const (
	base62Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	base62Width  = 11

	crockfordDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	crockfordWidth  = 13
)

// Base62 returns id as 11 digits 0-9A-Za-z.
func (id ID) Base62() string { return format(id, base62Digits, base62Width) }

// Base32 returns id as 13 digits of Crockford's alphabet, upper case: without I, L,
// O and U, so that people can read it aloud.
func (id ID) Base32() string { return format(id, crockfordDigits, crockfordWidth) }

// ParseBase62 reads exactly what [ID.Base62] writes. Errors are [ErrSyntax] and
// [ErrOverflow].
func ParseBase62(s string) (ID, error) { return parse(s, base62Digits, base62Width) }

// ParseBase32 reads exactly what [ID.Base32] writes; Crockford's other spellings,
// such as lower case or O for 0, are refused. Errors are [ErrSyntax] and
// [ErrOverflow].
func ParseBase32(s string) (ID, error) { return parse(s, crockfordDigits, crockfordWidth) }

func format(id ID, digits string, width int) string {
	var text [crockfordWidth]byte // the wider of the two
	n, base := uint64(id), uint64(len(digits))
	for i := width - 1; i >= 0; i-- {
		text[i] = digits[n%base]
		n /= base
	}
	return string(text[:width])
}

func parse(s, digits string, width int) (ID, error) {
	if len(s) != width {
		return 0, syntaxError(s)
	}
	var n uint64
	base, overflow := uint64(len(digits)), false
	for i := range len(s) {
		d := strings.IndexByte(digits, s[i])
		if d < 0 {
			return 0, syntaxError(s)
		}
		overflow = overflow || n > (1<<63-1-uint64(d))/base
		n = n*base + uint64(d)
	}
	if overflow {
		return 0, overflowError(s)
	}
	return ID(n), nil
}
