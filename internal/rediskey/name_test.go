package rediskey_test

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"github.com/cohort-go/cohort/internal/rediskey"
)

func TestEncode(t *testing.T) {
	tests := []struct {
		name string
		want string
	}{
		{"orders", "orders"},
		{"a:b/c d", "a:b/c d"},
		{"{a}", "%7Ba%7D"},
		{"100%", "100%25"},
		{"%25", "%2525"},
		{"line\nbreak\x00", "line%0Abreak%00"},
		{"a*b?c[d]\\", "a%2Ab%3Fc%5Bd%5D%5C"},
		{"größe 漢字", "größe 漢字"},
		{"\u0085next", "%C2%85next"},
		{"\xff\xfe", "%FF%FE"},
		{"\uFFFD", "\uFFFD"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			got, err := rediskey.Encode(tt.name)
			if err != nil || got != tt.want {
				t.Fatalf("Encode: got %q, %v, want %q", got, err, tt.want)
			}
			back, err := rediskey.Decode(got)
			if err != nil || back != tt.name {
				t.Errorf("Decode: got %q, %v, want %q", back, err, tt.name)
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	if _, err := rediskey.Encode(""); !errors.Is(err, rediskey.ErrEmpty) {
		t.Errorf("empty: got %v", err)
	}
	if _, err := rediskey.Encode(strings.Repeat("{", rediskey.MaxName)); err != nil {
		t.Errorf("of the longest length: got %v", err)
	}
	if _, err := rediskey.Encode(strings.Repeat("a", rediskey.MaxName+1)); !errors.Is(err, rediskey.ErrTooLong) {
		t.Errorf("too long: got %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, s := range []string{"{", "a}", "%", "%4", "%zz", "%7b", "%41", "a\n", "*", "\xff", "%C2%80%", "%+7"} {
		if got, err := rediskey.Decode(s); !errors.Is(err, rediskey.ErrEncoding) {
			t.Errorf("%q: got %q, %v", s, got, err)
		}
	}
}

func FuzzEncode(f *testing.F) {
	for _, seed := range []string{"orders", "{a}b", "%7B", "\x00\x7f\u0085", "\xff", "a*?[]\\", "漢字"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		encoded, err := rediskey.Encode(name)
		if err != nil {
			if name != "" && len(name) <= rediskey.MaxName {
				t.Fatalf("%q is refused: %v", name, err)
			}
			return
		}
		if strings.ContainsAny(encoded, `{}*?[]\`) || strings.ContainsFunc(encoded, unicode.IsControl) {
			t.Fatalf("%q has a reserved character raw: %q", name, encoded)
		}
		if back, err := rediskey.Decode(encoded); err != nil || back != name {
			t.Fatalf("%q came back as %q, %v", name, back, err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"orders", "%7Ba%7D", "%7b", "%", "%41", "%C2%85"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		name, err := rediskey.Decode(encoded)
		if err != nil {
			return
		}
		if again, err := rediskey.Encode(name); err != nil || again != encoded {
			t.Fatalf("%q decodes to %q, which encodes to %q, %v", encoded, name, again, err)
		}
	})
}
