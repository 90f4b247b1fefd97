package testenv

import (
	"os/exec"
	"testing"
)

// Tool returns the path of a program that is no server of the tiers, such as a
// load balancer or a browser, and the package of Debian that holds it. Where it
// is missing, t is skipped, or fails with CI=true.
func Tool(t testing.TB, name, debian string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		unavailable(t, &missingError{1, name, "run apt-get install --no-install-recommends " + debian})
	}
	return path
}

// Start runs a program until the end of t, with its log shown if t failed.
func Start(t testing.TB, name string, cmd *exec.Cmd) *Process {
	t.Helper()
	owned.check(t)
	p, err := launch(name, t.TempDir(), cmd)
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	p.endWith(t)
	return p
}

// Addr returns host and port on loopback that nothing listens on, and that no
// other test takes before the end of t.
func Addr(t testing.TB) string {
	t.Helper()
	p, err := reservePort()
	if err != nil {
		t.Fatalf("testenv: %v", err)
	}
	t.Cleanup(p.release)
	return p.addr()
}
