package health

import "time"

// Status is what one check, or all of them together, say.
type Status string

// The statuses. A check is OK, Failing or Unknown; a node is OK, Degraded,
// Failing, Starting or Draining.
const (
	OK       Status = "ok"
	Degraded Status = "degraded" // a check fails that is not critical
	Failing  Status = "failing"
	Unknown  Status = "unknown" // no result yet
	Starting Status = "starting"
	Draining Status = "draining"
)

// Report is the state of a node at one moment. It holds no address, URL or
// error text, so it may be shown to anyone.
type Report struct {
	Status Status            `json:"status"`
	Checks map[string]Result `json:"checks,omitempty"`
}

// Ready reports whether a load balancer should send requests.
func (r Report) Ready() bool { return r.Status == OK || r.Status == Degraded }

// Result is the last result of one check.
type Result struct {
	Status Status `json:"status"`
	// LatencyMS is how long the check ran, in milliseconds.
	LatencyMS float64 `json:"latency_ms"`
	// Since is when Status became what it is.
	Since time.Time `json:"since"`
	// Critical says that the node is not ready while this check fails.
	Critical bool `json:"critical,omitempty"`
}
