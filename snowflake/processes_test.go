package snowflake_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/idfile"
	"github.com/cohort-go/cohort/internal/testenv"
)

// TestProcesses has seven processes on a real Redis make IDs with four worker
// numbers, two generators each, while they are killed, stopped for longer than
// their lease, and restarted in an orderly way: no ID is made twice.
func TestProcesses(t *testing.T) {
	const processes = makers + 3
	want, patience := 5_000_000, time.Minute
	if testenv.Long() {
		want, patience = 100_000_000, 10*time.Minute
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	server, dir := testenv.Redis(t), t.TempDir()

	var all []*testenv.ChildProcess
	start := func() *testenv.ChildProcess {
		all = append(all, testenv.Child(t, "maker", server.Addr(), filepath.Join(dir, fmt.Sprintf("%04d", len(all)))))
		return all[len(all)-1]
	}
	running := make([]*testenv.ChildProcess, processes)
	for i := range running {
		running[i] = start()
	}
	events := map[string]int{}
	for begin := time.Now(); ; {
		made, err := idfile.Count(filepath.Join(dir, "*.ids"))
		if err != nil {
			t.Fatal(err)
		}
		if made >= want {
			break
		}
		if time.Since(begin) > patience {
			t.Fatalf("%d IDs after %v", made, patience)
		}
		time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond)
		i := random.IntN(processes)
		switch p := running[i]; random.IntN(3) {
		case 0:
			events["killed"]++
			p.Kill()
			running[i] = start()
		case 1:
			events["restarted"]++
			stop(t, p)
			running[i] = start()
		case 2:
			events["stopped past the lease"]++
			p.Freeze()
			time.AfterFunc(makerTTL*2, p.Thaw)
		}
	}
	time.Sleep(makerTTL * 2) // until the last is thawed
	for _, p := range running {
		stop(t, p)
	}
	for _, p := range all {
		for line := range p.Lines() {
			events[line]++
		}
	}
	c, err := idfile.Compare(filepath.Join(dir, "*.ids"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d IDs in %d files, %d duplicates; processes: %v", c.IDs, c.Files, c.Duplicates, events)
	if c.Duplicates != 0 || c.Disorders != 0 {
		t.Errorf("%d duplicates, %d out of order", c.Duplicates, c.Disorders)
	}
}

// stop ends a process in an orderly way.
func stop(t *testing.T, p *testenv.ChildProcess) {
	t.Helper()
	p.Thaw()
	if err := p.Send("stop"); err != nil {
		t.Error(err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("a process ended with %v", err)
	}
}
