package testenv

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Example builds the program in the folder of the test, runs it, and demands that
// it ends well and that what it printed has each of these texts.
func Example(t testing.TB, want ...string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "example")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), program).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range want {
		if !strings.Contains(string(out), text) {
			t.Errorf("the output lacks %q", text)
		}
	}
}
