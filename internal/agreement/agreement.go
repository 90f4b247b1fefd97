// Package agreement compares the settings of the nodes that run with those of a
// node that starts, by one key in Redis, so that no cluster is split because two
// of its nodes were configured differently.
package agreement

import (
	"context"
	_ "embed"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cohort-go/cohort/internal/redisconn"
	"github.com/cohort-go/cohort/internal/rediskey"
	"github.com/cohort-go/cohort/internal/script"
)

// Settings stay in force for ttl after the last node renewed them, which each
// does every renewal.
const (
	ttl     = 30 * time.Second
	renewal = 10 * time.Second
)

//go:embed agree.lua
var agreeLua string

var agree = script.New(agreeLua)

// Agreement is what the nodes of a namespace must have in common. It is immutable
// and safe for concurrent use.
type Agreement struct {
	client redis.UniversalClient
	key    string
	ours   string
}

// New returns the Agreement of a node with these settings, lines of the form
// name=value. It does no I/O.
func New(client redis.UniversalClient, namespace, settings string) *Agreement {
	return &Agreement{client: client, key: rediskey.Join(namespace, "node", "settings", "agreed"), ours: settings}
}

// Reach puts the settings in force, if no node that runs has others, and returns
// the names of those that differ. It tries for as long as ctx allows.
func (a *Agreement) Reach(ctx context.Context) (differing []string, err error) {
	var theirs string
	err = redisconn.Retry(ctx, a.client, 0, func(ctx context.Context) (err error) {
		theirs, err = agree.Run(ctx, a.client, []string{a.key}, a.ours, ttl.Milliseconds()).Text()
		return err
	})
	if err != nil || theirs == a.ours {
		return nil, err
	}
	return difference(a.ours, theirs), nil
}

// Keep renews the settings until ctx ends.
func (a *Agreement) Keep(ctx context.Context, log *slog.Logger) {
	tick := time.NewTicker(renewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		switch differing, err := a.Reach(ctx); {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("settings not renewed", "error", err)
		case differing != nil:
			log.Warn("settings differ from those of other nodes", "settings", differing)
		}
	}
}

// difference returns the names of the settings that are not the same in a and b,
// or that only one of them has.
func difference(a, b string) (names []string) {
	ours, theirs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for _, line := range slices.Concat(ours, theirs) {
		if !slices.Contains(ours, line) || !slices.Contains(theirs, line) {
			name, _, _ := strings.Cut(line, "=")
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
