package cohort

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// ErrConfigMismatch reports that nodes which run now were configured otherwise:
// the cluster would be split without anybody noticing. The error is a
// [*ConfigMismatchError]. To change such a setting stop all nodes first.
var ErrConfigMismatch = errors.New("configuration differs from that of the running nodes")

// ConfigMismatchError names the variables that differ.
type ConfigMismatchError struct {
	Variables []string
}

// Error names the variables.
func (e *ConfigMismatchError) Error() string {
	return "cohort: " + ErrConfigMismatch.Error() + ": " + strings.Join(e.Variables, ", ")
}

// Is reports whether target is [ErrConfigMismatch].
func (e *ConfigMismatchError) Is(target error) bool { return target == ErrConfigMismatch }

// settings lists what all nodes must have in common, a variable per line: the
// adapter and its database, not the host, which may have another name on another
// node. The range and layout of worker numbers are compared by package workerid.
func (c Config) settings() string {
	var b strings.Builder
	for _, s := range []struct {
		name    string
		adapter Adapter
	}{
		{envCacheStore, c.Cache},
		{envPubSubAdapter, c.PubSub},
		{envLockAdapter, c.Lock},
		{envQueueAdapter, c.Queue},
	} {
		fmt.Fprintf(&b, "%s=%s%s\n", s.name, s.adapter.Kind, database(s.adapter.Address()))
	}
	return b.String()
}

// database is the part of an address that says which database or virtual host.
func database(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Path == "" {
		return ""
	}
	return " " + u.Path
}
