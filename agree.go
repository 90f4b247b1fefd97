package cohort

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
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

// Settings stay in force for settingsTTL after the last node renewed them, which
// each does every settingsRenew.
const (
	settingsTTL   = 30 * time.Second
	settingsRenew = 10 * time.Second
)

//go:embed agree.lua
var agreeLua string

var agreeScript = script.New(agreeLua)

// agree reports how config differs from that of the nodes that run, or puts it in
// force if none does.
func agree(ctx context.Context, client redis.UniversalClient, config Config) error {
	ours := config.settings()
	key := rediskey.Join(config.Namespace, "node", "settings", "agreed")
	var theirs string
	err := redisconn.Retry(ctx, client, 0, func(ctx context.Context) (err error) {
		theirs, err = agreeScript.Run(ctx, client, []string{key}, ours, settingsTTL.Milliseconds()).Text()
		return err
	})
	switch {
	case err != nil:
		return fmt.Errorf("cohort: compare the configuration with that of other nodes: %w", err)
	case theirs != ours:
		return &ConfigMismatchError{Variables: differing(ours, theirs)}
	}
	return nil
}

// keepAgreed renews the settings until ctx ends.
func (n *Node) keepAgreed(ctx context.Context, client redis.UniversalClient) {
	tick := time.NewTicker(settingsRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := agree(ctx, client, n.config); err != nil && ctx.Err() == nil {
				n.log.Warn("settings not renewed", "error", err)
			}
		}
	}
}

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

// differing returns the names of the settings that are not the same in a and b.
func differing(a, b string) []string {
	other := strings.Split(b, "\n")
	var names []string
	for i, line := range strings.Split(a, "\n") {
		if i >= len(other) || other[i] != line {
			name, _, _ := strings.Cut(line, "=")
			names = append(names, name)
		}
	}
	return names
}
