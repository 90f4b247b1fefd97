package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestReadthrough(t *testing.T) {
	program := t.TempDir() + "/readthrough"
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"the source was asked 1 time\n",
		`"price 6" is written; process 2 sees it`,
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q", want)
		}
	}
}
