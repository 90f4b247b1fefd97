package envconf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/cohort-go/cohort/internal/envconf"
)

func env(pairs ...string) *envconf.Reader {
	m := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return envconf.NewReader(func(k string) string { return m[k] })
}

func TestFirst(t *testing.T) {
	r := env("AREA_URL", "  ", "URL", " redis://h ")
	if v, name := r.First("AREA_URL", "URL"); v != "redis://h" || name != "URL" {
		t.Errorf("got %q from %q, want the trimmed value of URL: a blank variable is unset", v, name)
	}
	if v, name := r.First("MISSING"); v != "" || name != "" {
		t.Errorf("got %q from %q of an unset variable", v, name)
	}
}

func TestProblemsComeTogetherAndHideValues(t *testing.T) {
	const marker = "s3cr3t-marker"
	r := env("MODE", marker, "COUNT", marker, "URL", marker)
	if got := r.Enum("MODE", "memory", "memory", "redis"); got != "memory" {
		t.Errorf("Enum fell back to %q", got)
	}
	if got := r.Int("COUNT", 7, 1, 9); got != 7 {
		t.Errorf("Int fell back to %d", got)
	}
	envconf.Check(r, func(string) (int, error) { return 0, errors.New("not a URL") }, "", "AREA_URL", "URL")

	err := r.Err()
	if err == nil {
		t.Fatal("three bad values gave no error")
	}
	for _, want := range []string{"MODE: must be one of memory, redis", "COUNT: must be a whole number from 1 to 9", "URL: not a URL"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	if strings.Contains(err.Error(), marker) {
		t.Errorf("%q repeats a value", err)
	}
}

func TestInt(t *testing.T) {
	tests := []struct {
		value string
		want  int
		ok    bool
	}{
		{"", 5, true},
		{"1", 1, true},
		{"9", 9, true},
		{"0", 5, false},
		{"10", 5, false},
		{"3.5", 5, false},
		{"99999999999999999999", 5, false},
	}
	for _, tt := range tests {
		t.Run(tt.value, func(t *testing.T) {
			r := env("N", tt.value)
			if got := r.Int("N", 5, 1, 9); got != tt.want || (r.Err() == nil) != tt.ok {
				t.Errorf("got %d and %v, want %d", got, r.Err(), tt.want)
			}
		})
	}
}
