package queuerabbit_test

import (
	"testing"

	"github.com/cohort-go/cohort/internal/testenv"
)

func TestMain(m *testing.M) {
	testenv.Main(m, map[string]func(args []string){"worker": mortalWorker})
}
