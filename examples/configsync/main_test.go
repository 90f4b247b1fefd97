package main

import (
	"os/exec"
	"strings"
	"testing"
)

func TestConfigsync(t *testing.T) {
	program := t.TempDir() + "/configsync"
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`anna: has 1 values, color is "red"`,
		"cleo: cut off",
		"cleo: missed 4", // 40 and what the log keeps beyond its bound
		"cleo: has 61 values",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the output lacks %q", want)
		}
	}
}
