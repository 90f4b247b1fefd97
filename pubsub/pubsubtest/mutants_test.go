package pubsubtest

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cohort-go/cohort/pubsub"
)

// mutant is a PubSub with one promise broken, and the case that must notice.
type mutant struct {
	name    string
	caught  string                                // by this case
	backend func(pubsub.Backend) pubsub.Backend   // nil: as it is
	node    func(pubsub.PubSub) pubsub.PubSub     // nil: as it is
	options func(*pubsub.SubscribeOptions)        // changes what is asked for
	handler func(h pubsub.Handler) pubsub.Handler // changes what is handled
	publish func(m *pubsub.Message)               // changes what is sent
	tune    func(*pubsub.Options)                 // changes what a node is made with
}

var errMutant = fmt.Errorf("mutant")

// mutants has one for each case at least.
func mutants() []mutant {
	o := func(f func(*pubsub.SubscribeOptions)) func(*pubsub.SubscribeOptions) { return f }
	return []mutant{
		{name: "deaf for a moment after Subscribe", caught: "Delivery", backend: func(b pubsub.Backend) pubsub.Backend { return lateListener{b} }},
		{name: "pushes swap places", caught: "Order", backend: func(b pubsub.Backend) pubsub.Backend { return shuffled{b} }},
		{name: "headers are lost", caught: "Content", publish: func(m *pubsub.Message) { m.Headers = nil }},
		{name: "a star takes all words", caught: "Patterns", node: func(ps pubsub.PubSub) pubsub.PubSub { return greedy{ps} }},
		{name: "SkipSelf is forgotten", caught: "SelfFilters", publish: func(m *pubsub.Message) { m.SkipSelf = false }},
		{name: "OnlySelf is forgotten", caught: "SelfFilters", options: o(func(o *pubsub.SubscribeOptions) { o.OnlySelf = false })},
		{name: "All begins now", caught: "FromAll", options: o(func(o *pubsub.SubscribeOptions) { o.From = pubsub.New() })},
		{name: "After begins with the oldest", caught: "FromAfter", options: o(func(o *pubsub.SubscribeOptions) { o.From = pubsub.All() })},
		{name: "handled twice", caught: "AtMostOnce", handler: doubled},
		{name: "a trimmed log is silent", caught: "Trimmed", options: o(func(o *pubsub.SubscribeOptions) { o.OnGap = silentGap })},
		{name: "a lost log is silent", caught: "Reset", options: o(func(o *pubsub.SubscribeOptions) { o.OnGap = silentGap })},
		{name: "Missed counts one too few", caught: "Overflow", options: o(func(o *pubsub.SubscribeOptions) {
			onGap := o.OnGap
			o.OnGap = func(ctx context.Context, g pubsub.Gap) error { g.Missed--; return onGap(ctx, g) }
		})},
		{name: "Block drops", caught: "Block", options: o(func(o *pubsub.SubscribeOptions) { o.Policy = pubsub.DropIntoGap })},
		{name: "one slow handler holds all", caught: "SlowHandler", node: func(ps pubsub.PubSub) pubsub.PubSub { return &oneAtATime{PubSub: ps} }},
		{name: "no second attempt", caught: "Retry", options: o(func(o *pubsub.SubscribeOptions) { o.Retry = pubsub.Retry{} })},
		{name: "a panic is swallowed", caught: "Panic", handler: swallow},
		{name: "the latest is dropped", caught: "CoalesceEdges", options: o(func(o *pubsub.SubscribeOptions) { o.Coalesce.Edge = pubsub.LeadingEdge })},
		{name: "the edges change places", caught: "CoalesceOneEdge", options: o(func(o *pubsub.SubscribeOptions) { o.Coalesce.Edge = pubsub.TrailingEdge })},
		{name: "MaxWait has no end", caught: "CoalesceMaxWait", options: o(func(o *pubsub.SubscribeOptions) { o.Coalesce.MaxWait = time.Hour })},
		{name: "all keys are one", caught: "CoalesceKeys", options: o(func(o *pubsub.SubscribeOptions) { o.Coalesce.Key = oneKey })},
		{name: "the last ones are dropped at the end", caught: "CoalesceFlush", options: o(func(o *pubsub.SubscribeOptions) { o.Coalesce.Edge = pubsub.LeadingEdge })},
		{name: "WaitFor does not wait", caught: "WaitFor", node: func(ps pubsub.PubSub) pubsub.PubSub { return hasty{ps} }},
		{name: "a refused call is sent in part", caught: "Receipts", node: func(ps pubsub.PubSub) pubsub.PubSub { return partial{ps} }},
		{name: "an unknown outcome is sent again", caught: "Uncertain", node: func(ps pubsub.PubSub) pubsub.PubSub { return again{ps} }},
		{name: "nothing is withdrawn", caught: "Withdraw", node: func(ps pubsub.PubSub) pubsub.PubSub { return endless{ps} }},
		{name: "a barrier is no barrier", caught: "Barrier", node: func(ps pubsub.PubSub) pubsub.PubSub { return noBarrier{ps} }},
		{name: "nobody is ever missing", caught: "BarrierTimeout", node: func(ps pubsub.PubSub) pubsub.PubSub { return noBarrier{ps} }},
		{name: "a scope sends its first message only", caught: "Scope", node: func(ps pubsub.PubSub) pubsub.PubSub { return firstOnly{ps} }},
		{name: "Signal comes back", caught: "Topic", publish: func(m *pubsub.Message) { m.SkipSelf = false }},
		{name: "a replica does not hear of a Gap", caught: "Replicate", options: o(func(o *pubsub.SubscribeOptions) { o.OnGap = silentGap })},
		{name: "a failed load is final", caught: "ReplicaRetries", handler: once},
		{name: "of a transaction's entries one is stored", caught: "Entries", node: func(ps pubsub.PubSub) pubsub.PubSub { return oneEntry{ps} }},
		{name: "replicas are not waited for", caught: "Replicas", publish: func(m *pubsub.Message) { m.Replicas = 0 }},
		{name: "nothing is counted", caught: "Stats", node: func(ps pubsub.PubSub) pubsub.PubSub { return uncounted{ps} }},
		{name: "hooks are not told", caught: "Hooks", tune: func(o *pubsub.Options) { o.Hooks = nil }},
		{name: "any channel is taken", caught: "Refusals", node: func(ps pubsub.PubSub) pubsub.PubSub { return lenient{ps} }},
		{name: "unsubscribing is forgotten", caught: "Unsubscribe", node: func(ps pubsub.PubSub) pubsub.PubSub { return clingy{ps} }},
		{name: "Close does not close", caught: "Close", node: func(ps pubsub.PubSub) pubsub.PubSub { return undead{ps} }},
		{name: "a handler is not told to stop", caught: "CloseIsBounded", handler: untold},
		{name: "everybody listens", caught: "Inspect", backend: func(b pubsub.Backend) pubsub.Backend { return crowded{b} }},
		{name: "never ready", caught: "Ready", backend: func(b pubsub.Backend) pubsub.Backend { return unready{b} }},
	}
}

// TestMutants proves the suite: every mutant is caught by its case, every case
// catches one, and the table of promises is complete.
func TestMutants(t *testing.T) {
	caught := make(map[string]int)
	for _, m := range mutants() {
		t.Run(m.name, func(t *testing.T) {
			for _, c := range cases() {
				if c.name != m.caught {
					continue
				}
				if !fails(t, c, m) {
					t.Errorf("%s does not notice", c.name)
				}
				caught[c.name]++
			}
		})
	}
	for _, c := range cases() {
		if caught[c.name] == 0 {
			t.Errorf("no mutant proves %s", c.name)
		}
		t.Logf("%-16s %-75s %d", c.name, c.promise, caught[c.name])
	}
}

// fails reports whether the case fails on the mutant. A case that still waits
// after a long virtual time has failed as well.
func fails(t *testing.T, c Case, m mutant) (failed bool) {
	synctest.Test(t, func(t *testing.T) {
		log, err := pubsub.NewMemoryLog(pubsub.MemoryOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		p := &probe{TB: t, ctx: ctx}
		env := Env{
			Backend: func(testing.TB) pubsub.Backend {
				if m.backend != nil {
					return m.backend(log.Backend())
				}
				return log.Backend()
			},
			Trim:   func(_ testing.TB, keep int) { log.Trim(keep) },
			Lose:   func(testing.TB) { log.Lose() },
			mutate: m.apply,
			tune:   m.tune,
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			c.test(newRun(p, env))
		}()
		select {
		case <-done:
		case <-time.After(2 * time.Minute):
			p.Errorf("it waits for ever")
		}
		cancel()
		p.cleanUp()
		failed = p.failed()
	})
	return failed
}

func (m mutant) apply(ps pubsub.PubSub) pubsub.PubSub {
	raw := ps
	if m.node != nil {
		ps = m.node(ps)
	}
	return bent{ps, raw, m}
}

// bent is a node whose calls the mutant changes.
type bent struct {
	pubsub.PubSub

	raw pubsub.PubSub
	m   mutant
}

func (b bent) Subscribe(ctx context.Context, pattern string, h pubsub.Handler, o pubsub.SubscribeOptions) (pubsub.Subscription, error) {
	if b.m.options != nil && h != nil {
		b.m.options(&o)
	}
	if b.m.handler != nil && h != nil {
		h = b.m.handler(h)
	}
	return b.PubSub.Subscribe(ctx, pattern, h, o)
}

func (b bent) Publish(ctx context.Context, messages ...pubsub.Message) ([]pubsub.Receipt, error) {
	if b.m.publish != nil {
		for i := range messages {
			b.m.publish(&messages[i])
		}
	}
	return b.PubSub.Publish(ctx, messages...)
}

func (b bent) Entries(messages ...pubsub.Message) ([][][]byte, error) {
	if wrong, ok := b.PubSub.(entrier); ok {
		return wrong.Entries(messages...)
	}
	return b.raw.(entrier).Entries(messages...)
}

func (b bent) Inspect(ctx context.Context) ([]pubsub.BusInfo, error) {
	return b.raw.(pubsub.Inspector).Inspect(ctx)
}

func (b bent) Barrier(ctx context.Context) (pubsub.BarrierResult, error) {
	if wrong, ok := b.PubSub.(pubsub.Barrierer); ok {
		return wrong.Barrier(ctx)
	}
	return b.raw.(pubsub.Barrierer).Barrier(ctx)
}
