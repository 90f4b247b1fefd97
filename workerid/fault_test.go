package workerid_test

import (
	"math/rand/v2"
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

// TestLateReply holds a renewal's reply back until another node has taken the
// number.
func TestLateReply(t *testing.T) {
	for _, offset := range behind {
		t.Run(offset, func(t *testing.T) {
			t.Parallel()
			server, f := testenv.Redis(t), newFleet(t)
			proxy := testenv.NewProxy(t, server.Addr())
			before := f.lead("before", "-addr", proxy.Addr(), "-stream")
			before.more(500)
			replies := proxy.Replies()
			proxy.Hole(testenv.ToClient)
			for proxy.Replies() == replies { // a renewal that the server has acknowledged
				time.Sleep(time.Millisecond)
			}
			proxy.Hole(testenv.Both)
			time.Sleep(lease)
			after := f.lead("after", "-addr", server.Addr(), "-stream", "-offset", offset)
			after.more(500)
			proxy.Pass()
			before.await("lost")
			after.more(100)
			f.report()
		})
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
// them at random.
func TestStorm(t *testing.T) {
	nodes, numbers, d := 10, 8, 6*time.Second
	if testenv.Long() {
		nodes, numbers, d = 40, 32, time.Minute
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("%d nodes for %d numbers, seed %d", nodes, numbers, seed)
	server, f := testenv.Redis(t), newFleet(t)
	var wg sync.WaitGroup
	for i := range nodes {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		wg.Go(func() {
			m := f.start("node "+strconv.Itoa(i), "-addr", server.Addr(), "-count", strconv.Itoa(numbers), "-stream")
			for end := time.Now().Add(d); time.Now().Before(end); {
				time.Sleep(time.Duration(rng.Int64N(int64(lease))))
				switch rng.IntN(4) {
				case 0:
					m.Kill()
					m = f.start("node "+strconv.Itoa(i), "-addr", server.Addr(), "-count", strconv.Itoa(numbers), "-stream")
				case 1:
					m.Freeze()
					time.Sleep(time.Duration(rng.Int64N(int64(2 * lease))))
					m.Thaw()
				}
			}
		})
	}
	wg.Wait()
	f.report()
}
