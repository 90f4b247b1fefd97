package snowflake_test

import (
	"cmp"
	"database/sql"
	"database/sql/driver"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/snowflake"
)

var (
	_ json.Marshaler           = snowflake.ID(0)
	_ json.Unmarshaler         = (*snowflake.ID)(nil)
	_ json.Marshaler           = snowflake.Number(0)
	_ json.Unmarshaler         = (*snowflake.Number)(nil)
	_ encoding.TextMarshaler   = snowflake.ID(0)
	_ encoding.TextAppender    = snowflake.ID(0)
	_ encoding.TextUnmarshaler = (*snowflake.ID)(nil)
	_ sql.Scanner              = (*snowflake.ID)(nil)
	_ driver.Valuer            = snowflake.ID(0)
)

const largest = snowflake.ID(math.MaxInt64)

func TestForms(t *testing.T) {
	tests := []struct {
		id                      snowflake.ID
		decimal, base62, base32 string
	}{
		{0, "0", "00000000000", "0000000000000"},
		{1, "1", "00000000001", "0000000000001"},
		{61, "61", "0000000000z", "000000000001X"},
		{199179108679722, "199179108679722", "000uYeufgJm", "0005N4W00A01A"},
		{largest, "9223372036854775807", "AzL8n0Y58m7", "7ZZZZZZZZZZZZ"},
	}
	for _, tt := range tests {
		t.Run(tt.decimal, func(t *testing.T) {
			if got := tt.id.String(); got != tt.decimal {
				t.Errorf("String = %q, want %q", got, tt.decimal)
			}
			if got := tt.id.Base62(); got != tt.base62 {
				t.Errorf("Base62 = %q, want %q", got, tt.base62)
			}
			if got := tt.id.Base32(); got != tt.base32 {
				t.Errorf("Base32 = %q, want %q", got, tt.base32)
			}
		})
	}
}

var parsers = []struct {
	name   string
	parse  func(string) (snowflake.ID, error)
	format func(snowflake.ID) string
}{
	{"decimal", snowflake.ParseID, snowflake.ID.String},
	{"base62", snowflake.ParseBase62, snowflake.ID.Base62},
	{"base32", snowflake.ParseBase32, snowflake.ID.Base32},
}

func TestParsersRefuse(t *testing.T) {
	tests := []struct {
		form, text string
		want       error
	}{
		{"decimal", "", snowflake.ErrSyntax},
		{"decimal", "-1", snowflake.ErrSyntax},
		{"decimal", "+1", snowflake.ErrSyntax},
		{"decimal", " 1", snowflake.ErrSyntax},
		{"decimal", "007", snowflake.ErrSyntax},
		{"decimal", "1_000", snowflake.ErrSyntax},
		{"decimal", "1e3", snowflake.ErrSyntax},
		{"decimal", "٣", snowflake.ErrSyntax},
		{"decimal", strings.Repeat("9", 1000) + "x", snowflake.ErrSyntax},
		{"decimal", "9223372036854775808", snowflake.ErrOverflow},
		{"decimal", strings.Repeat("9", 1000), snowflake.ErrOverflow},
		{"base62", "", snowflake.ErrSyntax},
		{"base62", "1", snowflake.ErrSyntax},
		{"base62", "0000000000-", snowflake.ErrSyntax},
		{"base62", "000000000001", snowflake.ErrSyntax},
		{"base62", "AzL8n0Y58m8", snowflake.ErrOverflow},
		{"base62", "zzzzzzzzzzz", snowflake.ErrOverflow},
		{"base32", "", snowflake.ErrSyntax},
		{"base32", "000000000001O", snowflake.ErrSyntax},
		{"base32", "000000000001x", snowflake.ErrSyntax},
		{"base32", "8000000000000", snowflake.ErrOverflow},
		{"base32", "ZZZZZZZZZZZZZ", snowflake.ErrOverflow},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%s %.30q", tt.form, tt.text), func(t *testing.T) {
			for _, p := range parsers {
				if p.name != tt.form {
					continue
				}
				id, err := p.parse(tt.text)
				if id != 0 || !errors.Is(err, tt.want) {
					t.Errorf("got %d, %v, want %v", id, err, tt.want)
				}
				if err != nil && len(err.Error()) > 200 {
					t.Errorf("the error repeats its input: %d bytes", len(err.Error()))
				}
			}
		})
	}
}

func TestJSON(t *testing.T) {
	type row struct {
		ID     snowflake.ID
		Number snowflake.Number
		Names  map[snowflake.ID]string
	}
	in := row{ID: largest, Number: 1<<53 - 1, Names: map[snowflake.ID]string{7: "seven"}}
	const want = `{"ID":"9223372036854775807","Number":9007199254740991,"Names":{"7":"seven"}}`
	data, err := json.Marshal(in)
	if err != nil || string(data) != want {
		t.Fatalf("Marshal = %s, %v, want %s", data, err, want)
	}
	var out row
	if err := json.Unmarshal(data, &out); err != nil || fmt.Sprint(out) != fmt.Sprint(in) {
		t.Errorf("Unmarshal = %v, %v, want %v", out, err, in)
	}
	for _, n := range []snowflake.Number{-1, 1 << 53} {
		if data, err := json.Marshal(n); !errors.Is(err, snowflake.ErrOverflow) {
			t.Errorf("Marshal(Number(%d)) = %s, %v, want ErrOverflow", n, data, err)
		}
	}
}

func TestUnmarshalJSON(t *testing.T) {
	tests := []struct {
		json string
		want snowflake.ID
		err  error
	}{
		{`"42"`, 42, nil},
		{`42`, 42, nil},
		{`null`, 9, nil},
		{`9007199254740993`, 1<<53 + 1, nil},
		{`""`, 9, snowflake.ErrSyntax},
		{`-1`, 9, snowflake.ErrSyntax},
		{`1.0`, 9, snowflake.ErrSyntax},
		{`1e3`, 9, snowflake.ErrSyntax},
		{`true`, 9, snowflake.ErrSyntax},
		{`{}`, 9, snowflake.ErrSyntax},
		{`["1"]`, 9, snowflake.ErrSyntax},
		{`"\u0031"`, 9, snowflake.ErrSyntax},
		{`9223372036854775808`, 9, snowflake.ErrOverflow},
	}
	for _, tt := range tests {
		t.Run(tt.json, func(t *testing.T) {
			id, number := snowflake.ID(9), snowflake.Number(9)
			if err := json.Unmarshal([]byte(tt.json), &id); !errors.Is(err, tt.err) || id != tt.want {
				t.Errorf("into an ID: %d, %v, want %d, %v", id, err, tt.want, tt.err)
			}
			if err := json.Unmarshal([]byte(tt.json), &number); !errors.Is(err, tt.err) || number != snowflake.Number(tt.want) {
				t.Errorf("into a Number: %d, %v, want %d, %v", number, err, tt.want, tt.err)
			}
		})
	}
}

func TestSQL(t *testing.T) {
	if v, err := snowflake.ID(7).Value(); v != int64(7) || err != nil {
		t.Errorf("Value = %v, %v, want int64 7", v, err)
	}
	tests := []struct {
		src  any
		want snowflake.ID
		err  error
	}{
		{int64(42), 42, nil},
		{"42", 42, nil},
		{[]byte("42"), 42, nil},
		{int64(-1), 9, snowflake.ErrSyntax},
		{"x", 9, snowflake.ErrSyntax},
		{[]byte(""), 9, snowflake.ErrSyntax},
		{nil, 9, snowflake.ErrSyntax},
		{4.2, 9, snowflake.ErrSyntax},
		{"9223372036854775808", 9, snowflake.ErrOverflow},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%T %v", tt.src, tt.src), func(t *testing.T) {
			id := snowflake.ID(9)
			if err := id.Scan(tt.src); !errors.Is(err, tt.err) || id != tt.want {
				t.Errorf("Scan: %d, %v, want %d, %v", id, err, tt.want, tt.err)
			}
		})
	}
}

// FuzzParse says of every input whether it must be accepted: if it is what an ID is
// written as. A refused one changes nothing.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "0", "42", "9223372036854775807", "9223372036854775808", "000uYeufgJm", "7ZZZZZZZZZZZZ", `"1"`, `""1""`, `"1`, "null", "1.0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, p := range parsers {
			if id, err := p.parse(s); err == nil && (id < 0 || p.format(id) != s) {
				t.Errorf("%s: %q was read as %d, which is %q", p.name, s, id, p.format(id))
			} else if err != nil && id != 0 {
				t.Errorf("%s: %q is refused and %d", p.name, s, id)
			}
		}
		const before = 7
		want, accepted := snowflake.ID(before), s == "null"
		bare := s
		if len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' {
			bare = s[1 : len(s)-1]
		}
		if n, err := strconv.ParseInt(bare, 10, 64); err == nil && n >= 0 && strconv.FormatInt(n, 10) == bare {
			want, accepted = snowflake.ID(n), true
		}
		id, number := snowflake.ID(before), snowflake.Number(before)
		if err := id.UnmarshalJSON([]byte(s)); (err == nil) != accepted || id != want {
			t.Errorf("JSON %q was read as %d, %v, want %d", s, id, err, want)
		}
		if err := number.UnmarshalJSON([]byte(s)); (err == nil) != accepted || number != snowflake.Number(want) {
			t.Errorf("JSON %q was read as the number %d, %v, want %d", s, number, err, want)
		}
	})
}

func FuzzTextOrder(f *testing.F) {
	f.Add(int64(0), int64(1))
	f.Add(int64(61), int64(62))
	f.Add(int64(math.MaxInt64), int64(1)<<53)
	f.Fuzz(func(t *testing.T, a, b int64) {
		x, y := snowflake.ID(a&math.MaxInt64), snowflake.ID(b&math.MaxInt64)
		for _, p := range parsers {
			if got, err := p.parse(p.format(x)); err != nil || got != x {
				t.Errorf("%s: %d came back as %d, %v", p.name, x, got, err)
			}
		}
		if got := cmp.Compare(x.Base62(), y.Base62()); got != cmp.Compare(x, y) {
			t.Errorf("base62 order of %d and %d is %d", x, y, got)
		}
		if got := cmp.Compare(x.Base32(), y.Base32()); got != cmp.Compare(x, y) {
			t.Errorf("base32 order of %d and %d is %d", x, y, got)
		}
	})
}
