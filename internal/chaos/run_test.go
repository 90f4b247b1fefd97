package chaos

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/testenv"
)

var (
	seed  = flag.Uint64("seed", 0, "seed of the faults; 0 draws one")
	seeds = flag.Int("seeds", 1, "how many seeds each scenario runs with")
)

// A course is one run of a scenario. Its methods may be called by several faults at
// once.
type course struct {
	*testing.T
	scenario
	stage

	seed    uint64
	dir     string
	ledger  *ledger
	members []*member
	turn    []sync.Mutex // of each member: one fault at a time

	mu        sync.Mutex
	source    *rand.PCG
	observer  redis.UniversalClient
	deaths    map[string]time.Time // of killed lives
	killed    int
	recovered []time.Time // when servers were whole again
	slowest   time.Duration
	figures   []string
}

// TestChaos runs the scenarios one after the other and prints what came out.
func TestChaos(t *testing.T) {
	if os.Getenv("COHORT_TEST_CHAOS") != "1" {
		t.Skip("runs for minutes, alone: COHORT_TEST_CHAOS=1 go test ./internal/chaos -v")
	}
	var table bytes.Buffer
	rows := tabwriter.NewWriter(&table, 0, 8, 2, ' ', 0)
	for _, s := range scenarios() {
		t.Run(s.id, func(t *testing.T) {
			for i := range *seeds {
				c := &course{T: t, scenario: s, seed: *seed + uint64(i), deaths: map[string]time.Time{}}
				if *seed == 0 {
					c.seed = rand.Uint64()
				}
				c.run()
				for i, line := range c.figures {
					head := "\t"
					if i == 0 {
						head = s.id + "\t" + s.what
					}
					fmt.Fprintf(rows, "%s\t%s\n", head, line)
				}
			}
		})
	}
	_ = rows.Flush()
	t.Logf("results:\n%s", &table)
}

func (c *course) run() {
	c.Logf("%s: %s, seed %d", c.id, c.what, c.seed)
	c.source = rand.NewPCG(c.seed, 1)
	c.dir = c.TempDir()
	c.ledger = newLedger(c)
	c.stage = c.servers(c)
	c.turn = make([]sync.Mutex, c.nodes)
	for i := range c.nodes {
		m := &member{name: fmt.Sprint("n", i+1), course: c}
		m.start()
		c.members = append(c.members, m)
	}
	for _, m := range c.members {
		if c.crowded {
			break // some have to wait for a number
		}
		if err := m.await("ready", m.ready, 30*time.Second); err != nil {
			c.Fatal(err)
		}
	}
	c.inflict()
	c.rest()
	for _, part := range c.parts {
		judges[part](c)
	}
	c.judgeErrors()
	c.judgeRecovery()
	if c.judge != nil {
		c.judge(c)
	}
	c.figure("slowest Close %v", c.slowest)
}

// inflict has all faults happen for as long as the scenario lasts.
func (c *course) inflict() {
	lasts := c.short
	if testenv.Long() {
		lasts = c.long
	}
	end := time.Now().Add(lasts)
	var faults sync.WaitGroup
	for _, f := range c.faults {
		faults.Go(func() {
			for next := time.Now().Add(f.every); next.Before(end); next = time.Now().Add(f.every) {
				select {
				case <-time.After(time.Until(next)):
				case <-c.Context().Done():
					return
				}
				f.inflict(c)
			}
		})
	}
	faults.Wait()
	time.Sleep(time.Until(end))
}

// rest ends the work, waits until nothing is under way, and ends the nodes.
func (c *course) rest() {
	for _, m := range c.members {
		if err := m.process.Send("finish"); err != nil {
			c.Errorf("%s: %v\n%s", m.name, err, m.process.Log())
		}
	}
	for _, m := range c.members {
		if err := m.await("finished", m.finished, 90*time.Second); err != nil && !c.crowded {
			c.Error(err)
		}
	}
	patience := 2 * time.Minute
	if c.forgets {
		patience = 20 * time.Second
	}
	for deadline := time.Now().Add(patience); c.has("queue") && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if open, _ := openJobs(c); open == 0 {
			break
		}
	}
	for _, m := range c.members {
		if err := m.quit(func() { _ = m.process.Send("end") }); err != nil && !c.crowded {
			c.Error(err)
		}
	}
}

func (c *course) has(part string) bool { return slices.Contains(c.parts, part) }

// figure adds a line to the table.
func (c *course) figure(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.figures = append(c.figures, fmt.Sprintf(format, args...))
}

// closedIn takes note of how long a Close took.
func (c *course) closedIn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slowest = max(c.slowest, d)
	if limit := closeWithin + 500*time.Millisecond; d > limit {
		c.Errorf("Close took %v with a ctx of %v", d, closeWithin)
	}
}

// back takes note that the servers are whole again.
func (c *course) back() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.recovered = append(c.recovered, time.Now())
}

// judgeErrors counts what users have seen, and shows some.
func (c *course) judgeErrors() {
	count := map[string]int{}
	for _, part := range append([]string{"open"}, c.parts...) {
		for _, r := range read(c, c.dir, part) {
			if r.words[0] == "error" {
				count[part+": "+strings.Join(r.words[1:], " ")]++
			}
		}
	}
	total := 0
	for text, n := range count {
		total += n
		if len(count) < 12 || n > 20 {
			c.Logf("%5d× %s", n, text)
		}
	}
	c.figure("%d errors seen by users", total)
	if c.noErrors && total > 0 {
		c.Errorf("%d errors, want none", total)
	}
}

// judgeRecovery looks how long each part of each node took to work again after the
// servers did.
func (c *course) judgeRecovery() {
	if c.usable == 0 {
		return
	}
	var longest time.Duration
	for _, part := range c.parts {
		times := map[string][]int64{}
		for _, r := range read(c, c.dir, part) {
			if r.words[0] == "ok" {
				times[r.node] = append(times[r.node], r.number(1))
			}
		}
		for node, ok := range times {
			for _, at := range c.recovered {
				took := firstAfter(ok, at)
				if took > 2*c.usable {
					c.Errorf("%s of %s worked again %v after the servers did, want %v", part, node, took, c.usable)
				}
				longest = max(longest, took)
			}
		}
	}
	c.figure("usable %v after the servers, at the latest", longest.Round(time.Millisecond))
}

// firstAfter is the time from at to the first of times after it; nothing is known
// where there is none.
func firstAfter(times []int64, at time.Time) time.Duration {
	for _, t := range times {
		if t > at.UnixNano() {
			return time.Duration(t - at.UnixNano())
		}
	}
	return 0
}
