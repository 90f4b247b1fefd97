// Package chaos has all areas at work in real processes, on real servers, while
// faults happen, and judges what the processes wrote down.
//
//	COHORT_TEST_CHAOS=1 go test ./internal/chaos -v                   # the short run
//	COHORT_TEST_CHAOS=1 go test ./internal/chaos -v -run /R3 -seed 7  # a scenario again
//	COHORT_TEST_CHAOS=1 COHORT_TEST_LONG=1 go test ./internal/chaos -v -timeout 4h -seeds 3
//
// # Reading and extending it
//
// scenarios_test.go lists the scenarios: which parts work, on which servers, under
// which faults. A node (node_test.go) is a process that opens a cohort.Node and runs
// its parts; a part (part_NAME_test.go) is the work of one area and the judgement of
// its journals. The parent (run_test.go) starts nodes, inflicts the faults
// (faults_test.go), lets the nodes come to rest, and judges.
//
// Journals are lines of words, written before the work is acknowledged, so that they
// outlive the process. Chance comes from the seed alone; what the scheduler of the
// machine makes of it is not repeatable.
package chaos
