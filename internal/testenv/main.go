package testenv

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// childVariable names the child that this execution of the test binary is.
const childVariable = "COHORT_TEST_CHILD"

// Main is the body of TestMain. It runs the tests, stops the servers that the
// tests shared, fails if a goroutine is left, and exits.
//
// In a process that [Child] started it runs the function of that name from
// children with the arguments given to Child, and exits with 0 when it returns.
func Main(m *testing.M, children map[string]func(args []string)) {
	if name, ok := os.LookupEnv(childVariable); ok {
		child, known := children[name]
		if !known {
			fmt.Fprintf(os.Stderr, "testenv: Main got no child named %q\n", name)
			os.Exit(2)
		}
		child(os.Args[1:])
		os.Exit(0)
	}
	owned.open()
	code := m.Run()
	owned.close()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintf(os.Stderr, "testenv: goroutines outlive the tests: %v\n", err)
			code = 1
		}
	}
	os.Exit(code)
}
