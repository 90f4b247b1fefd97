package snowflake

import (
	"errors"
	"fmt"
	"strconv"
)

// An ID is a unique number whose order is, roughly, the order of making. It is
// never negative; 0 is not made before a Layout's first tick is over, and then
// only by worker 0.
//
// As text and in JSON it is a decimal, in JSON as a string: JavaScript numbers
// keep 53 bits only. [ID.Base62] and [ID.Base32] are shorter forms whose text
// order is the numeric order. In SQL it is a BIGINT.
type ID int64

// ErrSyntax reports text that is not an ID in the form that was asked for. Each
// ID has one text in each form: signs, spaces, leading zeros and other spellings
// are refused.
var ErrSyntax = errors.New("not an ID")

// ParseID reads the form that String writes. Errors are [ErrSyntax], or
// [ErrOverflow] for a number that does not fit 63 bits.
func ParseID(s string) (ID, error) { return parseDecimal(s) }

// String returns id as a decimal.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// AppendText implements [encoding.TextAppender] with a decimal.
func (id ID) AppendText(b []byte) ([]byte, error) {
	return strconv.AppendInt(b, int64(id), 10), nil
}

// MarshalText implements [encoding.TextMarshaler] with a decimal.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText implements [encoding.TextUnmarshaler]; it reads what ParseID
// reads.
func (id *ID) UnmarshalText(text []byte) error {
	n, err := parseDecimal(text)
	if err == nil {
		*id = n
	}
	return err
}

// maxDigits is the length of 2^63-1.
const maxDigits = 19

func parseDecimal[T string | []byte](s T) (ID, error) {
	if len(s) == 0 || len(s) > 1 && s[0] == '0' {
		return 0, syntaxError(s)
	}
	var n uint64
	for i := range len(s) {
		d := s[i] - '0'
		if d > 9 {
			return 0, syntaxError(s)
		}
		if i < maxDigits {
			n = n*10 + uint64(d)
		}
	}
	if len(s) > maxDigits || n>>63 != 0 {
		return 0, overflowError(s)
	}
	return ID(n), nil
}

func syntaxError[T string | []byte](s T) error {
	return fmt.Errorf("snowflake: %s is %w", quote(s), ErrSyntax)
}

func overflowError[T string | []byte](s T) error {
	return fmt.Errorf("snowflake: %s %w: it has more than 63 bits", quote(s), ErrOverflow)
}

// quote makes foreign input fit for an error message.
func quote[T string | []byte](s T) string {
	const most = 40
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
