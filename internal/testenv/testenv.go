// Package testenv gives the tests of this module servers, processes and faults.
//
// Servers come in three tiers. Tier 0 (miniredis) is always there. Tier 1 are
// real servers that run as child processes of the test binary: programs on
// PATH, or in the folder that COHORT_TEST_SERVERS names. Tier 2 are containers,
// where a Docker engine answers. A test that asks for a server of a tier that
// this machine lacks is skipped, and the message says how to get the tier; with
// CI=true it fails instead. `go run ./internal/testenv/doctor` lists the tiers.
//
// A package whose tests use this one calls [Main] from its TestMain. No server
// and no process outlives the test binary, even if that is killed.
package testenv

import (
	"os"
	"testing"
)

// Timing marks a test that measures how long something takes: it is skipped
// unless COHORT_TEST_TIMING=1. The name of such a test begins with TestTiming;
// they run alone, one package after the other and without the race detector.
func Timing(t testing.TB) {
	t.Helper()
	if os.Getenv("COHORT_TEST_TIMING") != "1" {
		t.Skip("measures time: runs alone, with COHORT_TEST_TIMING=1 go test -p 1 -run '^TestTiming'")
	}
}

// Long reports whether tests run in their full form (COHORT_TEST_LONG=1)
// rather than in the one that ends within ten seconds.
func Long() bool { return os.Getenv("COHORT_TEST_LONG") == "1" }
