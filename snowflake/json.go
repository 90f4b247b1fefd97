package snowflake

import (
	"fmt"
	"strconv"
)

// MarshalJSON implements [encoding/json.Marshaler] with a decimal in a string.
func (id ID) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, maxDigits+2)
	b = append(b, '"')
	b = strconv.AppendInt(b, int64(id), 10)
	return append(b, '"'), nil
}

// UnmarshalJSON implements [encoding/json.Unmarshaler]. It accepts a decimal in a
// string or a plain number without fraction or exponent; null leaves id as it is,
// as is the custom.
func (id *ID) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	if n := len(data); n >= 2 && data[0] == '"' && data[n-1] == '"' {
		data = data[1 : n-1]
	}
	return id.UnmarshalText(data)
}

// A Number is an ID that is a number in JSON too, for layouts whose IDs are exact
// in a JavaScript number ([Layout.Exact53]). Convert with Number(id) and
// ID(number).
type Number ID

// String returns n as a decimal.
func (n Number) String() string { return ID(n).String() }

// MarshalJSON implements [encoding/json.Marshaler] with a number. One that
// JavaScript would round is [ErrOverflow].
func (n Number) MarshalJSON() ([]byte, error) {
	if n < 0 || n>>exactBits != 0 {
		return nil, fmt.Errorf("snowflake: ID %d as a JSON number %w: it has more than %d bits", n, ErrOverflow, exactBits)
	}
	return strconv.AppendInt(nil, int64(n), 10), nil
}

// UnmarshalJSON implements [encoding/json.Unmarshaler] as [ID.UnmarshalJSON] does.
func (n *Number) UnmarshalJSON(data []byte) error { return (*ID)(n).UnmarshalJSON(data) }
