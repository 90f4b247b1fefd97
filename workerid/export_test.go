package workerid

import (
	"context"
	"time"
)

// NewWithWall is New with another wall clock.
func NewWithWall(b Backend, opts Options, wall func() time.Time) (Allocator, error) {
	return open(b, opts, wall)
}

// Node is the pure part of an Allocator with one number: its clock and what it
// was promised.
type Node struct {
	clock  *clock
	tenure tenure
}

// NewNode returns a Node on the given clocks.
func NewNode(t Terms, wall func() time.Time, elapsed func() time.Duration) *Node {
	return &Node{clock: startClock(wall, elapsed), tenure: tenure{terms: t}}
}

// Now is the process clock.
func (n *Node) Now() int64 { return n.clock.now() }

// Ask begins to acquire a number.
func (n *Node) Ask(token, nonce string, seed uint32) AcquireRequest {
	n.tenure = tenure{terms: n.tenure.terms, token: token, text: token}
	return n.tenure.acquire(n.Now(), nonce, seed)
}

// Begin takes the grant.
func (n *Node) Begin(g Grant) { n.observe(g); n.tenure.begin(g, n.clock.read()) }

// Renewal is the next attempt.
func (n *Node) Renewal(nonce string) RenewRequest { return n.tenure.renew(n.clock.read(), nonce) }

// Renewed takes the reply to r.
func (n *Node) Renewed(g Grant, r RenewRequest) { n.observe(g); n.tenure.renewed(g, r.Nonce) }

// Release gives the number back.
func (n *Node) Release(end int64) ReleaseRequest { return n.tenure.release(end) }

// Stamp is the time that a generator on this number stamps by.
func (n *Node) Stamp() int64 { return n.tenure.clock(n.clock.read()) }

// Spare is how soon the next renewal must come.
func (n *Node) Spare() int64 { return n.tenure.spare(n.clock.read()) }

// Granted is what the node was promised last.
func (n *Node) Granted() Grant { return n.tenure.granted }

func (n *Node) observe(g Grant) { n.clock.confirm(g.Time + n.tenure.terms.Skew) }

// Ledger is a Backend that decides like a Memory, at a time and on a server that
// the test names.
type Ledger struct {
	ledger *ledger
	Now    int64
	Server string
	Blind  bool
}

// NewLedger returns an empty Ledger.
func NewLedger() *Ledger { return &Ledger{ledger: newLedger()} }

func (l *Ledger) server() server {
	if l.Blind {
		return server{now: l.Now, blind: true}
	}
	return server{now: l.Now, identity: l.Server}
}

// Acquire implements Backend.
func (l *Ledger) Acquire(_ context.Context, r AcquireRequest) (Grant, error) {
	return l.ledger.acquire(l.server(), r)
}

// Renew implements Backend.
func (l *Ledger) Renew(_ context.Context, r RenewRequest) (Grant, error) {
	return l.ledger.renew(l.server(), r)
}

// Release implements Backend.
func (l *Ledger) Release(_ context.Context, r ReleaseRequest) error {
	return l.ledger.release(l.server(), r)
}

// Holders implements Backend.
func (l *Ledger) Holders(context.Context) ([]Holder, error) { return l.ledger.holders(l.server()), nil }

// Clear loses everything.
func (l *Ledger) Clear() { l.ledger = newLedger() }
