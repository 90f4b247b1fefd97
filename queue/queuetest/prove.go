package queuetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Prove checks that the case of each promise fails with each of its Mutants, and
// that each promise has one. newHarness opens a harness whose store and queues
// m spoils, without any network.
func Prove(t *testing.T, newHarness func(t testing.TB, m Mutant) Harness) {
	mutants := map[string][]Mutant{}
	for _, m := range Mutants() {
		mutants[m.Promise] = append(mutants[m.Promise], m)
	}
	var table strings.Builder
	for _, p := range Promises() {
		if len(mutants[p.Name]) == 0 {
			t.Errorf("no mutant for the promise %s", p.Name)
		}
		for _, m := range mutants[p.Name] {
			t.Run(p.Name+"/"+m.Fault, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { p.mustFail(t, newHarness, m) })
			})
			fmt.Fprintf(&table, "%-18s %-90s %s\n", p.Name, p.Text, m.Fault)
		}
		delete(mutants, p.Name)
	}
	for name := range mutants {
		t.Errorf("a mutant for the unknown promise %q", name)
	}
	t.Logf("promise, what it says, mutant that it catches:\n%s", table.String())
}

// mustFail runs the case with a probe in the place of t.
func (p Promise) mustFail(t *testing.T, newHarness func(t testing.TB, m Mutant) Harness, m Mutant) {
	probe := &probe{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		h := newHarness(t, m)
		h.Patience = 5 * time.Second
		p.Check(probe, h)
	}()
	<-ended
	probe.cleanup()
	if len(probe.complaints()) == 0 {
		t.Errorf("the case %s does not notice that %s", p.Name, m.Fault)
	}
}

// probe is a testing.TB that notes failures instead of reporting them.
type probe struct {
	testing.TB
	mu       sync.Mutex
	failures []string
	after    []func()
}

func (p *probe) note(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures = append(p.failures, text)
}

func (p *probe) complaints() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failures
}

// cleanup runs what the case registered, last first.
func (p *probe) cleanup() {
	for {
		p.mu.Lock()
		n := len(p.after)
		if n == 0 {
			p.mu.Unlock()
			return
		}
		f := p.after[n-1]
		p.after = p.after[:n-1]
		p.mu.Unlock()
		f()
	}
}

// Helper implements testing.TB.
func (*probe) Helper() {}

// Cleanup implements testing.TB.
func (p *probe) Cleanup(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after = append(p.after, f)
}

// Error implements testing.TB.
func (p *probe) Error(args ...any) { p.note(fmt.Sprint(args...)) }

// Errorf implements testing.TB.
func (p *probe) Errorf(format string, args ...any) { p.note(fmt.Sprintf(format, args...)) }

// Fatal implements testing.TB.
func (p *probe) Fatal(args ...any) {
	p.note(fmt.Sprint(args...))
	runtime.Goexit()
}

// Fatalf implements testing.TB.
func (p *probe) Fatalf(format string, args ...any) {
	p.note(fmt.Sprintf(format, args...))
	runtime.Goexit()
}
