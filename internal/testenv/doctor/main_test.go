package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctor(t *testing.T) {
	doctor := filepath.Join(t.TempDir(), "doctor")
	if output, err := exec.Command("go", "build", "-o", doctor, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, ci := range []string{"true", ""} {
		t.Run("CI="+ci, func(t *testing.T) {
			cmd := exec.Command(doctor)
			cmd.Env = append(os.Environ(), "CI="+ci, "PATH=", "COHORT_TEST_SERVERS=", "DOCKER_HOST=unix:///nowhere")
			output, err := cmd.CombinedOutput()
			if (err != nil) != (ci == "true") {
				t.Errorf("ended with %v", err)
			}
			for _, want := range []string{"miniredis", "tier 1", "COHORT_TEST_SERVERS=DIR", "tier 2", "DOCKER_HOST"} {
				if !strings.Contains(string(output), want) {
					t.Errorf("%q is missing in\n%s", want, output)
				}
			}
		})
	}
}
