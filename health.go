package cohort

import "github.com/cohort-go/cohort/internal/health"

// Health is the state of a Node: Report says it, Handler serves it to load
// balancers as /livez and /readyz, whose answers hold no address and no error
// text and never wait for a server.
type Health = health.Monitor

// Check is one health check of the application. Leave Critical false for what
// all nodes share.
type Check = health.Check

// Health returns the state of the node. An unreachable Redis degrades it; a lost
// worker number makes it unready until there is another.
func (n *Node) Health() *Health { return n.health }

// Drain makes the node unready, for load balancers to send no more requests;
// everything else goes on. Close and Run do it by themselves.
func (n *Node) Drain() {
	if n.health != nil {
		n.health.Drain()
	}
}
