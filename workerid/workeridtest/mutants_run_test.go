package workeridtest

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// TestMutants shows that each promise has a case, and that each case catches the
// backends that break the promise. It prints promise, case and mutant.
func TestMutants(t *testing.T) {
	var table strings.Builder
	known := make(map[string]bool)
	for _, p := range promises() {
		known[p.name] = true
		if reports := p.against(t, mutant{make: correct}); len(reports) > 0 {
			t.Errorf("%s fails on a correct backend: %q", p.name, reports)
		}
		caught := 0
		for _, m := range mutants {
			if m.caughtBy != p.name {
				continue
			}
			reports := p.against(t, m)
			if len(reports) == 0 {
				t.Errorf("%s does not catch %v", p.name, m)
				continue
			}
			caught++
			fmt.Fprintf(&table, "%-76s %-15s %s\n", p.says, p.name, m.fault)
		}
		if caught == 0 {
			t.Errorf("%s catches no mutant", p.name)
		}
	}
	for _, m := range mutants {
		if !known[m.caughtBy] {
			t.Errorf("there is no case %s for %v", m.caughtBy, m)
		}
	}
	t.Logf("promise, case, mutant that it catches\n%s", table.String())
}

// against returns what the case reports on a backend.
func (p promise) against(t *testing.T, backend mutant) (reports []string) {
	synctest.Test(t, func(t *testing.T) {
		m := new(workerid.Memory)
		r := &recorder{ctx: t.Context()}
		done := make(chan struct{})
		go func() { // Fatalf ends it
			defer close(done)
			isolated := false
			p.test(r, Server{
				Backend: copying{backend.make(m), backend.alone, &isolated},
				Elapse:  time.Sleep, Lose: m.Clear, Isolate: func(is bool) { isolated = is },
			})
		}()
		<-done
		reports = r.reports
	})
	return reports
}

// recorder is a T that keeps what is reported.
type recorder struct {
	ctx     context.Context
	reports []string
}

func (*recorder) Helper()                    {}
func (r *recorder) Context() context.Context { return r.ctx }

func (r *recorder) Errorf(format string, args ...any) {
	r.reports = append(r.reports, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}
