package main

import (
	"bytes"
	"testing"

	"github.com/cohort-go/cohort/internal/embedded"
)

func TestRun(t *testing.T) {
	server, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	const want = `1234       wrong password
qwerty     wrong password
letmein    wrong password
correct    closed for another 1s
correct    welcome, a second later
stolen     accepted: false
valid      accepted: true
logged-out accepted: false
stolen     accepted: false, also after the filter was lost
`
	for _, url := range []string{"", server.URL()} {
		var out bytes.Buffer
		if err := run(t.Context(), url, &out); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("with %q:\n%s\nwant:\n%s", url, &out, want)
		}
	}
}
