package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
	"github.com/cohort-go/cohort/queue"
)

func open(t *testing.T, path string) *queue.Memory {
	t.Helper()
	q, err := queue.NewMemory("jobs", queue.MemoryOptions{Snapshot: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close(context.Background()) })
	return q
}

// fill leaves one message in each state that must survive.
func fill(t *testing.T, q *queue.Memory) {
	t.Helper()
	put := func(text string, m queue.Message) {
		m.Payload = []byte(text)
		if _, err := q.Enqueue(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	settle := func(outcome error) {
		list, err := q.Receive(t.Context(), 1, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if err := list[0].Settle(t.Context(), outcome); err != nil {
			t.Fatal(err)
		}
	}
	put("dead", queue.Message{})
	settle(queue.Dead(errors.New("no")))
	put("retry", queue.Message{})
	settle(queue.RetryIn(time.Hour, errors.New("later")))
	put("delayed", queue.Message{Delay: time.Hour})
	put("ready 1", queue.Message{Key: "k"})
	put("ready 2", queue.Message{Key: "k", Unique: queue.Unique{Key: "u"}})
	put("ready 3", queue.Message{ID: queue.IDOf("three"), Header: map[string]string{"a": "b"}})
}

func checkFilled(t *testing.T, q *queue.Memory) {
	t.Helper()
	st, err := q.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if st.ReadyTotal() != 2 || st.Waiting != 1 || st.Delayed != 2 || st.Dead != 1 || st.Enqueued != 6 {
		t.Errorf("after the reload: %+v", st)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{ID: queue.IDOf("three")}); !errors.Is(err, queue.ErrDuplicate) {
		t.Errorf("a given ID was forgotten: %v", err)
	}
	if _, err := q.Enqueue(t.Context(), queue.Message{Unique: queue.Unique{Key: "u"}}); !errors.Is(err, queue.ErrDuplicate) {
		t.Errorf("a unique key was forgotten: %v", err)
	}
	page, err := q.List(t.Context(), queue.ListRequest{State: queue.StateDelayed})
	if err != nil || len(page.Messages) != 2 || page.Messages[0].Failures+page.Messages[1].Failures != 1 {
		t.Errorf("delayed: %+v, %v", page, err)
	}
}

func TestSnapshotSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs")
	q := open(t, path)
	fill(t, q)
	for range 3 {
		if err := q.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		q = open(t, path)
		checkFilled(t, q)
	}
}

func TestSnapshotIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs")
	open(t, path)
	if _, err := queue.NewMemory("jobs", queue.MemoryOptions{Snapshot: path}); err == nil {
		t.Error("a second queue took the same file")
	}
}

// TestSnapshotAfterCrash leaves what a process leaves that was killed: the loaded
// file, and perhaps a half-written temporary one.
func TestSnapshotAfterCrash(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jobs")
	q := open(t, path)
	fill(t, q)
	if err := q.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".loaded"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".123.tmp", []byte(`{"version":1,"acc`), 0o600); err != nil {
		t.Fatal(err)
	}
	checkFilled(t, open(t, path))
}

// takeSnapshots saves a queue as often as it can, until it is killed.
func takeSnapshots(args []string) {
	_, err := queue.NewMemory("jobs", queue.MemoryOptions{Snapshot: args[0], SnapshotEvery: time.Millisecond})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println("open")
	select {}
}

// TestSnapshotKilled kills a process while it writes and renames: whatever it was
// at, the file is whole.
func TestSnapshotKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs")
	q := open(t, path)
	fill(t, q)
	if err := q.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 15 {
		child := testenv.Child(t, "snapshots", path)
		if line := child.Line(t); line != "open" {
			t.Fatalf("the child says %q", line)
		}
		time.Sleep(rand.N(20 * time.Millisecond))
		child.Kill()
	}
	checkFilled(t, open(t, path))
}

func TestSnapshotOfAnotherVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs")
	if err := os.WriteFile(path, []byte(`{"version":99}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := queue.NewMemory("jobs", queue.MemoryOptions{Snapshot: path}); err == nil {
		t.Error("a snapshot of another version was taken for empty")
	}
}
