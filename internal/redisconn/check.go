// Package redisconn opens Redis clients, shares them by URL, and says which
// clients of others the backends can work on.
package redisconn

import (
	"fmt"

	"github.com/redis/go-redis/v9"
)

// UnsupportedClientError reports a client on which the promises of a backend
// cannot hold.
type UnsupportedClientError struct {
	Client string // type of the client
	Reason string
}

func (e *UnsupportedClientError) Error() string {
	return "unsupported client " + e.Client + ": " + e.Reason
}

// Check returns an *UnsupportedClientError for a client that is nil, that reads
// from replicas, that spreads its keys without a protocol for moving them
// (*redis.Ring), or whose options cannot be known. A failover client with
// ReplicaOnly looks like any other; its first write fails with READONLY.
func Check(c redis.UniversalClient) error {
	reason := ""
	switch c := c.(type) {
	case nil:
		return &UnsupportedClientError{Client: "nil", Reason: "a client is required"}
	case *redis.Client:
		if c == nil {
			reason = "the pointer is nil"
		}
	case *redis.ClusterClient:
		switch {
		case c == nil:
			reason = "the pointer is nil"
		case c.Options().ReadOnly || c.Options().RouteByLatency || c.Options().RouteRandomly:
			reason = "it reads from replicas, which lag behind; turn off ReadOnly, RouteByLatency and RouteRandomly"
		}
	case *redis.Ring:
		reason = "its keys change place without moving their data; use Redis Cluster"
	default:
		reason = "want a *redis.Client or a *redis.ClusterClient"
	}
	if reason == "" {
		return nil
	}
	return &UnsupportedClientError{Client: fmt.Sprintf("%T", c), Reason: reason}
}

// IsCluster reports whether c talks to a Redis Cluster, where the keys of one
// command must share a hash slot.
func IsCluster(c redis.UniversalClient) bool {
	_, ok := c.(*redis.ClusterClient)
	return ok
}

// HonoursDeadlines reports whether commands of c end with their ctx. If not, a
// call can outlive its ctx by the client's ReadTimeout.
func HonoursDeadlines(c redis.UniversalClient) bool {
	switch c := c.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	}
	return false
}
