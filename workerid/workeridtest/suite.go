// Package workeridtest proves a workerid.Backend against the promises of package
// workerid. A backend enters it in ten lines:
//
//	func TestBackend(t *testing.T) {
//		workeridtest.Run(t, func(t *testing.T) workeridtest.Server {
//			b := openBackend()
//			return workeridtest.Server{
//				Backend: b,
//				Elapse:  time.Sleep,
//				Lose:    b.DropEverything,
//			}
//		})
//	}
//
// The suite proves itself: for each promise there is a backend that breaks it, and
// the tests of this package fail unless each of them is caught.
package workeridtest

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/workerid"
)

// Server is the backend under test, without any data.
type Server struct {
	Backend workerid.Backend
	// Elapse lets d pass on the server's clock.
	Elapse func(d time.Duration)
	// Lose makes the server lose its data. Cases that need it are left out where
	// it is nil.
	Lose func()
	// Isolate takes away the replicas that must acknowledge what Backend promises,
	// and gives them back: it returns when the next write will have them. Cases that
	// need it are left out where it is nil.
	Isolate func(isolated bool)
}

// T is the part of testing.T that the cases use.
type T interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// promise is one sentence that a backend must keep, and the case that proves it.
type promise struct {
	name   string
	says   string
	test   func(t T, s Server)
	loses  bool // the case needs Server.Lose
	copies bool // the case needs Server.Isolate
}

// promises returns all of them.
func promises() []promise {
	var all []promise
	for _, group := range [][]promise{granting, succeeding, renewing, releasing, losing, delayed, replicating} {
		all = append(all, group...)
	}
	return all
}

// Run runs the suite as subtests of t, in real time. newServer is called once for
// each.
func Run(t *testing.T, newServer func(t *testing.T) Server) {
	t.Helper()
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) { p.run(t, newServer(t)) })
	}
}

// RunVirtual is Run for backends that touch no network: each case runs in a
// synctest bubble, where time costs nothing.
func RunVirtual(t *testing.T, newServer func(t *testing.T) Server) {
	t.Helper()
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { p.run(t, newServer(t)) })
		})
	}
}

func (p promise) run(t *testing.T, s Server) {
	if p.loses && s.Lose == nil {
		t.Skip("the server cannot be made to lose its data")
	}
	if p.copies && s.Isolate == nil {
		t.Skip("the server has no replicas")
	}
	p.test(t, s)
}
