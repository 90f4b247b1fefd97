package main

import (
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestReadthrough(t *testing.T) {
	testenv.Example(t,
		"the source was asked 1 time\n",
		`"price 6" is written; process 2 sees it`,
	)
}
