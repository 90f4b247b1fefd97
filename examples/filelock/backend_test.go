//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cohort-go/cohort/lock"
	"github.com/cohort-go/cohort/lock/locktest"
)

func TestSuite(t *testing.T) {
	locktest.Run(t, func(t testing.TB) locktest.Backend {
		shared, err := openFolder(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return locktest.Backend{Unfair: true, NoList: true, New: func(testing.TB) lock.Backend { return shared }}
	})
}

// TestCommand runs commands that would disturb each other.
func TestCommand(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	ended := make(chan error, 4)
	for range cap(ended) {
		go func() {
			ended <- run(t.Context(), []string{"-dir", dir, "--", "sh", "-c",
				`echo begin $COHORT_FENCE >> "` + log + `"; sleep 0.05; echo end $COHORT_FENCE >> "` + log + `"`})
		}()
	}
	for range cap(ended) {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	got, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if want := "begin 1024\nend 1024\nbegin 2048\nend 2048\nbegin 3072\nend 3072\nbegin 4096\nend 4096\n"; string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	if err := run(t.Context(), []string{"-dir", dir}); err == nil {
		t.Error("no command is no error")
	}
}
