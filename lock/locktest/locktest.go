// Package locktest is the conformance suite of package lock: every promise of a
// Locker is a case, and every case is proven by backends that break the promise
// and must be caught. A backend enters it in ten lines:
//
//	func TestMemory(t *testing.T) {
//		locktest.RunVirtual(t, func(testing.TB) locktest.Backend {
//			space := lock.NewSpace()
//			return locktest.Backend{New: func(testing.TB) lock.Backend { return space.Backend() }}
//		})
//	}
package locktest

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/lock"
)

// Backend describes what is tested.
type Backend struct {
	// New returns the backend of one more process in the same lock space.
	New func(t testing.TB) lock.Backend
	// Locker makes a Locker on the backend of a process. Default: lock.New.
	Locker func(lock.Backend, lock.Options) (lock.Locker, error)
	// Unfair leaves out the cases that need a queue and events: the order
	// between processes, wake-up by the release, semaphores.
	Unfair bool
	// NoList leaves out the case of lock.Lister.
	NoList bool
	// DeadWaiter is how long each process that died while it waited may hold up
	// the queue. Default: no noticeable time.
	DeadWaiter time.Duration
	// Elapse lets d pass as the backend sees time. Default: time.Sleep.
	Elapse func(d time.Duration)
}

// Run runs the suite as subtests of t, in real time.
func Run(t *testing.T, open func(t testing.TB) Backend) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			b := open(t)
			if p.fair && b.Unfair {
				t.Skip("the backend does not promise it")
			}
			p.check(newSpace(t, b))
		})
	}
}

// RunVirtual is Run for backends that touch no network: each case runs in a
// bubble of testing/synctest, so leases of hours end in microseconds.
func RunVirtual(t *testing.T, open func(t testing.TB) Backend) {
	for _, p := range promises() {
		t.Run(p.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { p.check(newSpace(t, open(t))) })
		})
	}
}

// A promise is a sentence of the package's documentation and the case that
// checks it.
type promise struct {
	name  string
	says  string
	fair  bool // needs a queue and events
	check func(s *space)
}

// promises are all of them, in the order of the documentation.
func promises() []promise {
	return []promise{
		{"Exclusive", "a name has at most one holder", false, exclusive},
		{"NamesApart", "names are independent, whatever bytes they have", false, namesApart},
		{"TryHeld", "TryAcquire reports ErrHeld at once", false, tryHeld},
		{"TryDoesNotOvertake", "TryAcquire never overtakes those who wait", true, tryDoesNotOvertake},
		{"FenceRises", "every lease has a larger fence than all before", false, fenceRises},
		{"ManyTurns", "each turn inside a process ends the lease before it and has a larger fence, however many there are", false, manyTurns},
		{"HandedOverWhole", "a lease that is handed over begins with a good part of its ttl", false, handedOverWhole},
		{"LocalOrder", "inside a process the first to come is the first served", false, localOrder},
		{"ProcessOrder", "processes are served in the order of their requests", true, processOrder},
		{"TurnsPass", "a process serves at most LocalBatch waiters of its own while others wait", true, turnsPass},
		{"ReleaseWakes", "the release wakes the next waiter, which does not poll", true, releaseWakes},
		{"WaitEnds", "ctx bounds the wait and leaves nothing behind", false, waitEnds},
		{"DeadWaiterSkipped", "a process that died while it waited does not hold up the queue", true, deadWaiterSkipped},
		{"ReleaseOnce", "a lease is released once, and by its holder only", false, releaseOnce},
		{"ReleaseAfterCancel", "Release works with a ctx that has ended", false, releaseAfterCancel},
		{"ContextValues", "the lease's context has the values of Acquire's ctx and not its end", false, contextValues},
		{"Expires", "a grant that is not renewed ends after its ttl", false, expires},
		{"ToldBeforeGrant", "the lease has ended before another has the name", false, toldBeforeGrant},
		{"LateNews", "who hears of its grant when that is over does not have the name", true, lateNews},
		{"Renewed", "renewal keeps the lease for as long as it is held", false, renewed},
		{"LossNoticed", "a grant that is gone is ErrLost at the next renewal and never made again", false, lossNoticed},
		{"ExtendNeverShortens", "Extend prolongs the lease and never shortens it", false, extendNeverShortens},
		{"MaxHold", "MaxHold ends a lease in spite of renewal", false, maxHold},
		{"WaitersAfterLoss", "after a loss the waiters of the process are served", false, waitersAfterLoss},
		{"Inspect", "Inspect says who has a name and how many wait", true, inspect},
		{"List", "List names every lock that is held and no other, with what Inspect says", false, list},
		{"CloseGivesBack", "Close gives back what is held and ends the waits", false, closeGivesBack},
		{"BadInput", "bad requests are refused with typed errors and change nothing", false, badInput},
		{"RetryIsOneEffect", "a request that is repeated with its token has one effect and one fence", false, retryIsOneEffect},
		{"QueueOnce", "a token has one place in the queue, however often it asks", true, queueOnce},
		{"ForeignRelease", "a token that has nothing releases nothing", false, foreignRelease},
		{"Semaphore", "a semaphore lets as many in as it has permits", true, semaphore},
		{"SemaphoreExpires", "a permit that is not renewed comes back", true, semaphoreExpires},
		{"Do", "Do tells the section of a loss and never reports a lost section as done", false, do},
		{"DoPanic", "a panic in a section releases the lock", false, doPanic},
		{"Lead", "one leader at a time, with growing terms; the end of ctx resigns", false, lead},
		{"AcquireAll", "AcquireAll takes all names or none", false, acquireAll},
	}
}
