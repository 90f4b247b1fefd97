// Package pubsubtest is the suite that every backend of package pubsub passes.
package pubsubtest

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/cohort-go/cohort/pubsub"
)

// Env is a backend under test.
type Env struct {
	// Backend returns the backend of a further node. All that it returned to one
	// test share their logs.
	Backend func(t testing.TB) pubsub.Backend
	// Trim removes all but the newest keep entries of each bus.
	Trim func(t testing.TB, keep int)
	// Lose removes everything, as if the server had lost its data.
	Lose func(t testing.TB)

	// mutate makes a node wrong, and tune what it is made with, to prove that the suite
	// notices.
	mutate func(pubsub.PubSub) pubsub.PubSub
	tune   func(*pubsub.Options)
}

// Run runs the suite as parallel subtests of t, in real time. newEnv is called
// once for each.
func Run(t *testing.T, newEnv func(t testing.TB) Env) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(newRun(t, newEnv(t)))
		})
	}
}

// RunVirtual is Run for backends that touch no network: each case runs in a
// synctest bubble.
func RunVirtual(t *testing.T, newEnv func(t testing.TB) Env) {
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.test(newRun(t, newEnv(t))) })
		})
	}
}

// Case is one promise and the case that tests it.
type Case struct {
	name    string
	promise string
	test    func(r *run)
}

// cases returns all cases, in the order of the documentation.
func cases() []Case {
	return []Case{
		{"Delivery", "a message whose Publish began after Subscribe returned is handled", delivery},
		{"Order", "all nodes see one order", order},
		{"Content", "payload, headers, key and publisher arrive as sent", content},
		{"Patterns", `"*" stands for one word, ">" for the rest`, patterns},
		{"SelfFilters", "SkipSelf and OnlySelf, of message and subscription", selfFilters},
		{"FromAll", "All begins with the oldest message, and goes on live without a seam", fromAll},
		{"FromAfter", "After begins after a position", fromAfter},
		{"AtMostOnce", "an entry that is stored twice is handled once", atMostOnce},
		{"Trimmed", "messages that the log no longer has are a Gap in their place", trimmed},
		{"Reset", "a log that was lost is one Gap, then all later messages", reset},
		{"Overflow", "a full queue becomes a Gap: missed and handled are all", overflow},
		{"Block", "with Block a slow subscription misses nothing", blocking},
		{"SlowHandler", "a slow handler delays no other subscription", slowHandler},
		{"Retry", "a failing handler is called again as often as asked", retry},
		{"Panic", "a panic is an error with its stack, and all goes on", panics},
		{"CoalesceEdges", "the first at once, the latest after the window", coalesceEdges},
		{"CoalesceOneEdge", "only the first, or only the latest", coalesceOneEdge},
		{"CoalesceMaxWait", "the latest waits no longer than MaxWait", coalesceMaxWait},
		{"CoalesceKeys", "keys are apart; the default is channel and payload", coalesceKeys},
		{"CoalesceFlush", "what waits is handled before a Gap, by WaitFor and by Close", coalesceFlush},
		{"WaitFor", "a position crosses nodes as text, and can be waited for", waitFor},
		{"Receipts", "positions grow in the order of the call; nothing is stored of a refused call", receipts},
		{"Uncertain", "an unknown outcome is ErrUncertain, and never handled twice", uncertain},
		{"Withdraw", "what waits to be sent when ctx ends is withdrawn", withdraw},
		{"Barrier", "Barrier returns once every node has handled all before it", barrier},
		{"BarrierTimeout", "Barrier names the nodes that are missing", barrierTimeout},
		{"Scope", "Commit publishes, Discard does not", scope},
		{"Topic", "typed values arrive; what cannot be decoded is an error", topic},
		{"Replicate", "a Replica is in step, also after a Gap", replicate},
		{"ReplicaRetries", "a Replica loads until it succeeds", replicaRetries},
		{"Entries", "entries that a caller stores, as in a transaction, come in their place", entriesOfACaller},
		{"Replicas", "a message with too few replicas has its place and ErrNotReplicated", replicas},
		{"Stats", "Stats counts what came, failed, was missed or could not be read", stats},
		{"Hooks", "Hooks are told of each batch, handler call and Gap", hooks},
		{"Refusals", "bad input has typed errors", refusals},
		{"Unsubscribe", "after Close of a subscription no handler runs", unsubscribe},
		{"Close", "Close waits for handlers, then everything is ErrClosed", closing},
		{"CloseIsBounded", "Close ends with its ctx, and counts a handler that stays", closeIsBounded},
		{"Inspect", "Inspect counts what is stored and names who listens, and changes nothing", inspect},
		{"Ready", "a node that can publish is ready", ready},
	}
}

// run is one case at work.
type run struct {
	testing.TB

	env Env
}

func newRun(t testing.TB, e Env) *run { return &run{TB: t, env: e} }

// node returns a further node, closed at the end of the test.
func (r *run) node(o pubsub.Options, wrap ...func(pubsub.Backend) pubsub.Backend) pubsub.PubSub {
	r.Helper()
	b := r.env.Backend(r)
	for _, w := range wrap {
		b = w(b)
	}
	if r.env.tune != nil {
		r.env.tune(&o)
	}
	n, err := pubsub.NewNode(b, o)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Close(ctx); err != nil {
			r.Errorf("close: %v", err)
		}
	})
	return r.bend(n)
}

// bend makes a node wrong if that is what is tested.
func (r *run) bend(n pubsub.PubSub) pubsub.PubSub {
	if r.env.mutate == nil {
		return n
	}
	return r.env.mutate(n)
}
