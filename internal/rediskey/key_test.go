package rediskey_test

import (
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/rediskey"
)

func TestNamespace(t *testing.T) {
	tests := []struct {
		ns   string
		want string // "" means accepted
	}{
		{"", ""},
		{"shop-1.eu_west", ""},
		{strings.Repeat("n", rediskey.MaxNamespace), ""},
		{strings.Repeat("n", rediskey.MaxNamespace+1), "namespace is longer than 64 bytes"},
		{"a:b", "namespace has ':', want letters, digits, dot, underscore, hyphen"},
		{"{a}", "namespace has '{', want letters, digits, dot, underscore, hyphen"},
		{"ä", "namespace has 'ä', want letters, digits, dot, underscore, hyphen"},
	}
	for _, tt := range tests {
		t.Run(tt.ns, func(t *testing.T) {
			var got string
			if err := rediskey.Namespace(tt.ns); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestJoinAndSplit(t *testing.T) {
	tests := []struct {
		namespace, area, encoded, part string
		want                           string
	}{
		{"", "lock", "job", "fence", "cohort:lock:{job}:fence"},
		{"shop", "queue", "a:b", "", "shop:queue:{a:b}"},
		{"shop", "queue", "%7Bx%7D", "dead:1", "shop:queue:{%7Bx%7D}:dead:1"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			key := rediskey.Join(tt.namespace, tt.area, tt.encoded, tt.part)
			if key != tt.want {
				t.Fatalf("Join: got %q", key)
			}
			encoded, part, ok := rediskey.Split(tt.namespace, tt.area, key)
			if !ok || encoded != tt.encoded || part != tt.part {
				t.Errorf("Split: got %q, %q, %v", encoded, part, ok)
			}
		})
	}
}

func TestSplitRefusesForeignKeys(t *testing.T) {
	for _, key := range []string{
		"", "cohort:lock:", "cohort:lock:job", "cohort:lock:{job", "cohort:lock:{}",
		"cohort:lock:{job}:", "cohort:lock:{job}fence", "other:lock:{job}:fence", "cohort:queue:{job}:fence",
	} {
		if _, _, ok := rediskey.Split("", "lock", key); ok {
			t.Errorf("%q is accepted", key)
		}
	}
}
