package workerid_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cohort-go/cohort/internal/testenv"
)

// A fleet collects what many nodes print and finds IDs that two of them made.
type fleet struct {
	t      *testing.T
	broken bool // repetitions are expected

	mu       sync.Mutex
	makers   map[int64]*member
	repeated int
	passed   int // leases of numbers that others had before
}

// member is one process of a fleet.
type member struct {
	*testenv.ChildProcess

	name   string
	fleet  *fleet
	events chan string // what it printed besides IDs
	made   int         // guarded by fleet.mu
}

func newFleet(t *testing.T) *fleet { return &fleet{t: t, makers: make(map[int64]*member)} }

// start starts a node and returns without waiting for its lease.
func (f *fleet) start(name string, args ...string) *member {
	f.t.Helper()
	m := &member{
		ChildProcess: testenv.Child(f.t, "node", args...),
		name:         name, fleet: f, events: make(chan string, 10_000),
	}
	go m.collect() // ends with the process
	return m
}

// lead starts a node and waits for its lease.
func (f *fleet) lead(name string, args ...string) *member {
	f.t.Helper()
	m := f.start(name, args...)
	m.await("lease")
	return m
}

func (m *member) collect() {
	for line := range m.Lines() {
		word, rest, _ := strings.Cut(line, " ")
		if word == "past" {
			m.fleet.t.Errorf("%s made an ID beyond its mark: %s", m.name, rest)
		}
		if word != "ids" {
			m.fleet.watch(line)
			m.events <- line
			continue
		}
		m.fleet.add(m, strings.Fields(rest))
	}
	close(m.events)
}

func (f *fleet) add(m *member, ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, text := range ids {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			f.t.Errorf("%s printed %q: %v", m.name, text, err)
		}
		if first, again := f.makers[id]; again {
			f.repeated++
			if f.repeated <= 5 && !f.broken {
				f.t.Errorf("%s made %d, which %s made before", m.name, id, first.name)
			}
		}
		f.makers[id] = m
		m.made++
	}
}

// await returns the next line that begins with word.
func (m *member) await(word string) string {
	m.fleet.t.Helper()
	patience := time.After(20 * time.Second)
	for {
		select {
		case line, ok := <-m.events:
			if !ok {
				m.fleet.t.Fatalf("%s ended before it said %q", m.name, word)
			}
			if strings.HasPrefix(line, word) {
				return line
			}
		case <-patience:
			m.fleet.t.Fatalf("%s has not said %q for 20s", m.name, word)
		}
	}
}

// count is how many IDs the member made.
func (m *member) count() int {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	return m.made
}

// more waits until the member has made n more IDs.
func (m *member) more(n int) {
	m.fleet.t.Helper()
	m.reach(m.count() + n)
}

// next has a member that does not stream make n IDs.
func (m *member) next(n int) {
	m.fleet.t.Helper()
	want := m.count() + n
	m.commandf("next %d", n)
	m.reach(want)
}

func (m *member) reach(want int) {
	m.fleet.t.Helper()
	for began := time.Now(); m.count() < want; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			m.fleet.t.Fatalf("%s has made %d IDs after 20s, want %d", m.name, m.count(), want)
		}
	}
}

// commandf sends a line to the member.
func (m *member) commandf(format string, args ...any) {
	m.fleet.t.Helper()
	if err := m.Send(fmt.Sprintf(format, args...)); err != nil {
		m.fleet.t.Fatalf("%s: %v", m.name, err)
	}
}

// watch counts leases of numbers that others had before.
func (f *fleet) watch(line string) {
	var number, generation int
	if _, err := fmt.Sscanf(line, "lease %d %d", &number, &generation); err == nil && generation > 1 {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.passed++
	}
}

// successions is how often a number has passed on.
func (f *fleet) successions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.passed
}

// repeats is how many IDs were made before.
func (f *fleet) repeats() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.repeated
}

// report logs how many IDs there are; repetitions have failed the test already.
func (f *fleet) report() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t.Logf("%d IDs, %d repeated", len(f.makers), f.repeated)
	if len(f.makers) == 0 {
		f.t.Error("no IDs were made")
	}
}
