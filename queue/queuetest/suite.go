// Package queuetest checks that a backend keeps the promises of package queue.
// [Run] runs every promise whose abilities the backend has; [Promises] lists
// them, and [Mutants] are backends that each break one, to prove that the suite
// would notice.
package queuetest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/queue"
)

// Harness gives the suite access to one empty store.
type Harness struct {
	// Open returns a Queue on the store: each call is another node. The suite
	// closes what it opens.
	Open func(t testing.TB, opts queue.Options) queue.Queue
	// Patience is how long the suite waits for what must happen. Default 10 s.
	Patience time.Duration
}

// Promise is something that package queue says about every backend with certain
// abilities, and the case that checks it.
type Promise struct {
	Name  string
	Text  string
	Needs queue.Capability
	check func(s *suite)
}

// Run checks all promises as parallel subtests, each on a harness of its own.
func Run(t *testing.T, newHarness func(t *testing.T) Harness) {
	for _, p := range Promises() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			p.Check(t, newHarness(t))
		})
	}
}

// RunVirtual is Run for stores that touch no network: each case has a synctest
// bubble, in which hours pass at once.
func RunVirtual(t *testing.T, newHarness func(t *testing.T) Harness) {
	for _, p := range Promises() {
		t.Run(p.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { p.Check(t, newHarness(t)) })
		})
	}
}

// Check runs the case, or skips it where an ability is missing.
func (p Promise) Check(t testing.TB, h Harness) {
	if h.Patience == 0 {
		h.Patience = 10 * time.Second
	}
	s := &suite{TB: t, h: h}
	s.can = s.open().Capabilities().Can
	if missing := p.Needs &^ s.can; missing != 0 {
		t.Skipf("the backend lacks: %v", missing)
	}
	p.check(s)
}

// suite is what a case works with.
type suite struct {
	testing.TB
	h   Harness
	can queue.Capability
}

// open returns another node.
func (s *suite) open() queue.Queue { return s.openWith(queue.Options{}) }

func (s *suite) openWith(opts queue.Options) queue.Queue {
	s.Helper()
	q := s.h.Open(s, opts)
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = q.Close(ctx) // cases that test Close look at its error
	})
	return q
}

// ctx bounds one request of a case.
func (s *suite) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), s.h.Patience)
	s.Cleanup(cancel)
	return ctx
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// put enqueues m with text as its payload.
func (s *suite) put(q queue.Queue, text string, m queue.Message) queue.ID {
	s.Helper()
	m.Payload = []byte(text)
	id, err := q.Enqueue(s.ctx(), m)
	s.must(err)
	return id
}

// consume starts a consumer whose errors are of no interest.
func (s *suite) consume(q queue.Queue, h queue.Handler, opts queue.ConsumeOptions) *queue.Consumer {
	s.Helper()
	if opts.OnError == nil {
		opts.OnError = func(error) {}
	}
	c, err := q.Consume(context.Background(), h, opts)
	s.must(err)
	return c
}

// receive leases exactly n messages.
func (s *suite) receive(q queue.Queue, n int, lease time.Duration) []*queue.Delivery {
	s.Helper()
	var list []*queue.Delivery
	for len(list) < n {
		more, err := q.Receive(s.ctx(), n-len(list), lease)
		s.must(err)
		list = append(list, more...)
	}
	return list
}

func (s *suite) one(q queue.Queue, lease time.Duration) *queue.Delivery {
	s.Helper()
	return s.receive(q, 1, lease)[0]
}

// nothing checks that no message is ready for d.
func (s *suite) nothing(q queue.Queue, d time.Duration) {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if list, err := q.Receive(ctx, 1, time.Minute); err == nil {
		s.Fatalf("%q arrived, want nothing", list[0].Payload)
	}
}

// until waits for something that must become true.
func (s *suite) until(what string, ok func() bool) {
	s.Helper()
	for end := time.Now().Add(s.h.Patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("not within %v: %s", s.h.Patience, what)
		}
	}
}

// next takes a value from a channel that must bring one.
func next[T any](s *suite, ch <-chan T) (v T) {
	s.Helper()
	select {
	case v = <-ch:
	case <-time.After(s.h.Patience):
		s.Fatalf("nothing came within %v", s.h.Patience)
	}
	return v
}

// diary is what handlers saw.
type diary struct {
	mu      sync.Mutex
	entries []entry
}

type entry struct {
	text    string
	attempt int
	at      time.Time
}

// note records a run.
func (l *diary) note(d *queue.Delivery) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, entry{string(d.Payload), d.Attempt, time.Now()})
}

func (l *diary) all() []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]entry(nil), l.entries...)
}

func (l *diary) len() int { return len(l.all()) }

// texts are the payloads in the order of their runs.
func (l *diary) texts() []string {
	var list []string
	for _, e := range l.all() {
		list = append(list, e.text)
	}
	return list
}

// counts says how often each payload ran.
func (l *diary) counts() map[string]int {
	n := make(map[string]int)
	for _, e := range l.all() {
		n[e.text]++
	}
	return n
}

// record is a handler that only notes.
func (l *diary) record(_ context.Context, d *queue.Delivery) error {
	l.note(d)
	return nil
}

func (s *suite) equal(what string, got, want any) {
	s.Helper()
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		s.Fatalf("%s: got %s, want %s", what, g, w)
	}
}

func numbered(n int) []queue.Message {
	list := make([]queue.Message, n)
	for i := range list {
		list[i].Payload = fmt.Appendf(nil, "%06d", i)
	}
	return list
}
