package cohort_test

import (
	"testing"

	"github.com/cohort-go/cohort"
)

func TestParseServing(t *testing.T) {
	tests := []struct {
		mode                 string
		requests, mail, task bool // task stands for a topic that is not named
		text                 string
	}{
		{"", true, true, true, "!,*"},
		{"  ", true, true, true, "!,*"},
		{"!", true, false, false, "!"},
		{"*", false, true, true, "*"},
		{"mail", false, true, false, "mail"},
		{"mail,pdf", false, true, false, "mail,pdf"},
		{"pdf, mail ,mail", false, true, false, "mail,pdf"},
		{"!,mail", true, true, false, "!,mail"},
		{"mail,!", true, true, false, "!,mail"},
		{"!,*", true, true, true, "!,*"},
		{"!, a ,*", true, true, true, "!,*"},
		{"-", false, false, false, "-"},
		{" - ", false, false, false, "-"},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			s, err := cohort.ParseServing(tt.mode)
			if err != nil {
				t.Fatal(err)
			}
			if s.Requests() != tt.requests || s.Topic("mail") != tt.mail || s.Topic("task") != tt.task {
				t.Errorf("requests %v, mail %v, task %v; want %v, %v, %v",
					s.Requests(), s.Topic("mail"), s.Topic("task"), tt.requests, tt.mail, tt.task)
			}
			if s.String() != tt.text {
				t.Errorf("String is %q, want %q", s, tt.text)
			}
			if again, err := cohort.ParseServing(s.String()); err != nil || again.String() != s.String() {
				t.Errorf("%q reads back as %q, %v", s, again, err)
			}
		})
	}
}

// TestWorkerMode reads a value as a node does.
func TestWorkerMode(t *testing.T) {
	c, err := cohort.FromEnv(env("WORKER_MODE", "!, a ,*"))
	if err != nil || !c.Serving.Requests() || !c.Serving.Topic("a") || !c.Serving.Topic("b") {
		t.Errorf("got %q, %v; want requests and all topics", c.Serving, err)
	}
	if c, err := cohort.FromEnv(env("WORKER_MODE", "-,a")); err == nil {
		t.Errorf("-,a is taken as %q", c.Serving)
	}
}

func TestParseServingRefuses(t *testing.T) {
	for _, mode := range []string{"-,a", "a,-", "-,!", "-,-", "a,,b", ",", "a,"} {
		t.Run(mode, func(t *testing.T) {
			if s, err := cohort.ParseServing(mode); err == nil {
				t.Errorf("accepted as %q", s)
			}
		})
	}
}
