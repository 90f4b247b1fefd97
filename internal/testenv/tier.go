package testenv

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// serversVariable names the folder whose bin holds the servers' programs.
const serversVariable = "COHORT_TEST_SERVERS"

// A missingError says what this machine lacks and how to get it.
type missingError struct {
	tier int
	what string
	hint string
}

func (e *missingError) Error() string {
	return "no " + e.what + "; " + e.hint
}

// program finds a server's program.
func program(name string) (string, error) {
	if dir := os.Getenv(serversVariable); dir != "" {
		path := filepath.Join(dir, "bin", name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", &missingError{1, name, "put it on PATH, or run .ci/testservers.sh --unpack DIR and set " + serversVariable + "=DIR"}
	}
	return path, nil
}

// unavailable ends t because of err: by a skip where this machine lacks
// something, by a failure for all else, and always where CI=true.
func unavailable(t testing.TB, err error) {
	t.Helper()
	if missing, ok := errors.AsType[*missingError](err); ok && os.Getenv("CI") != "true" {
		t.Skipf("tier %d: %v", missing.tier, err)
	}
	t.Fatalf("testenv: %v", err)
}
