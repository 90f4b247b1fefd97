package workerid_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

// lease is a little longer than a number of fineOptions is held.
const lease = 700 * time.Millisecond

// behind are clocks of successors. One that is a little behind would stamp again
// what its predecessor has stamped.
var behind = []string{"0s", "-300ms", "-1s", "-1h"}

// TestReuseWithinASecond hands a number on within the tick of its last ID.
func TestReuseWithinASecond(t *testing.T) {
	for _, offset := range behind {
		t.Run(offset, func(t *testing.T) {
			server, f := testenv.Redis(t), newFleet(t)
			before := f.lead("before", "-addr", server.Addr(), "-seconds")
			after := f.start("after", "-addr", server.Addr(), "-seconds", "-offset", offset, "-hold")
			after.await("ready")
			before.next(1000)
			began := time.Now()
			before.commandf("release")
			before.await("released")
			after.commandf("go")
			after.next(1000)
			if took := time.Since(began); took > time.Second {
				t.Errorf("the successor needed %v for its first IDs", took)
			}
			f.report()
		})
	}
}

// TestStoppedPastLease stops a node for longer than its lease. When it goes on it
// still has the rest of its window, which its successor keeps clear of.
func TestStoppedPastLease(t *testing.T) {
	for _, offset := range behind {
		t.Run(offset, func(t *testing.T) {
			t.Parallel()
			server, f := testenv.Redis(t), newFleet(t)
			before := f.lead("before", "-addr", server.Addr(), "-stream")
			before.more(500)
			before.Freeze()
			time.Sleep(lease)
			after := f.lead("after", "-addr", server.Addr(), "-stream", "-offset", offset)
			after.more(500)
			before.Thaw()
			before.await("lost")
			after.more(100)
			f.report()
		})
	}
}

// TestLateReply holds the reply to a renewal back until another node has taken the
// number. Then the window that it brings is open, and its holder uses it up.
func TestLateReply(t *testing.T) {
	for _, offset := range behind {
		t.Run(offset, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t)
			mark, start := f.replyLate("-offset", offset)
			if start < mark {
				t.Errorf("the successor starts at %d, the late reply allows up to %d", start, mark)
			}
			f.report()
		})
	}
	t.Run("no marks", func(t *testing.T) {
		t.Parallel()
		f := newFleet(t)
		f.broken = true
		if mark, start := f.replyLate("-markless"); f.repeats() == 0 {
			t.Errorf("a successor that started at %d repeated no ID of a window up to %d: this test would not notice", start, mark)
		}
	})
}

// replyLate returns where the window of the late reply ends and where that of the
// successor, a node with args, begins. Windows outlast leases, so that the first is
// still open.
func (f *fleet) replyLate(args ...string) (mark, start int64) {
	f.t.Helper()
	server := testenv.Redis(f.t)
	proxy := testenv.NewProxy(f.t, server.Addr())
	far := []string{"-stream", "-fresh", "-ahead", "3s"}
	before := f.lead("before", append(far, "-addr", proxy.Addr(), "-patient", "-burn", "500ms")...)
	before.more(100)
	replies := proxy.Replies()
	proxy.Hole(testenv.ToClient)
	for proxy.Replies() == replies { // a renewal that the server has acknowledged
		time.Sleep(time.Millisecond)
	}
	time.Sleep(lease)
	after := f.start("after", slices.Concat(far, []string{"-addr", server.Addr()}, args)...)
	var number, generation int
	f.scan(after.await("lease"), "lease %d %d %d", &number, &generation, &start)
	if generation != 2 {
		f.t.Errorf("the successor has generation %d of its number, want 2", generation)
	}
	after.more(500)
	proxy.Pass()
	f.scan(before.await("renewed"), "renewed %d", &mark)
	before.await("lost")
	after.more(500)
	return mark, start
}

func (f *fleet) scan(line, format string, into ...any) {
	f.t.Helper()
	if _, err := fmt.Sscanf(line, format, into...); err != nil {
		f.t.Fatalf("%q: %v", line, err)
	}
}

// TestClockSteps moves the clocks of nodes by an hour, to and fro, while numbers
// pass between them, each time to one whose clock is behind by more than the
// lease took to end. Without marks they would repeat each other.
func TestClockSteps(t *testing.T) {
	t.Run("marks", func(t *testing.T) {
		t.Parallel()
		f := newFleet(t)
		f.stepClocks()
		f.report()
	})
	t.Run("no marks", func(t *testing.T) {
		t.Parallel()
		f := newFleet(t)
		f.broken = true
		f.stepClocks("-markless")
		if f.repeats() == 0 {
			t.Error("nodes without marks repeated no ID: this test would not notice")
		}
	})
}

func (f *fleet) stepClocks(args ...string) {
	f.t.Helper()
	server := testenv.Redis(f.t)
	nodes := make([]*member, 3)
	for i, offset := range []string{"1h", "59m59s", "59m58s"} {
		nodes[i] = f.start("node "+strconv.Itoa(i), append(args, "-addr", server.Addr(), "-count", "2", "-stream", "-offset", offset)...)
	}
	for round := range 6 {
		for i, n := range nodes {
			n.commandf("offset %v", []time.Duration{0, time.Hour, -time.Hour}[(round+i)%3])
		}
		frozen := nodes[round%3]
		frozen.Freeze()
		time.Sleep(lease)
		frozen.Thaw()
		time.Sleep(lease / 3)
	}
}

// TestStorm runs more nodes than there are numbers and stops, kills and replaces
// them at random, until the numbers have passed on often enough.
func TestStorm(t *testing.T) {
	const nodes, numbers = 40, 32
	d := 4 * time.Second
	if testenv.Long() {
		d = time.Minute
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d nodes for %d numbers, seed %d", nodes, numbers, seed)
	server, f := testenv.Redis(t), newFleet(t)
	args := []string{"-addr", server.Addr(), "-count", strconv.Itoa(numbers), "-stream", "-pause", "20ms"}
	var wg sync.WaitGroup
	for i := range nodes {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		name := "node " + strconv.Itoa(i)
		wg.Go(func() {
			m := f.start(name, args...)
			for end := time.Now().Add(d); time.Now().Before(end) || f.successions() < numbers; {
				time.Sleep(time.Duration(rng.Int64N(int64(lease))))
				switch rng.IntN(4) {
				case 0:
					m.Kill()
					m = f.start(name, args...)
				case 1:
					m.Freeze()
					time.Sleep(time.Duration(rng.Int64N(int64(2 * lease))))
					m.Thaw()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("numbers passed on %d times", f.successions())
	f.report()
}
