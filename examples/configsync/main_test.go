package main

import (
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestConfigsync(t *testing.T) {
	testenv.Example(t,
		`anna: has 1 values, color is "red"`,
		"cleo: cut off",
		"cleo: missed 4", // 40 and what the log keeps beyond its bound
		"cleo: has 61 values",
	)
}
